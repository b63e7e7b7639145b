/**
 * What Argo CD shows of Flamegate's kinds: the scripts of config/argocd/health, run by its interpreter, on statuses that the controller's
 * own code has made.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { parse } from 'yaml';
import { decide } from '../../src/controller/profiling-policy/decide.ts';
import type { Observed } from '../../src/controller/profiling-policy/gather.ts';
import {
  anObserved,
  aPolicy as aPolicyOf,
  aSelected,
} from '../../src/controller/profiling-policy/testing/samples.ts';
import type { Arms } from '../../src/controller/regression-gate/arms.ts';
import type { Finding } from '../../src/controller/regression-gate/decide.ts';
import { gateStatus } from '../../src/controller/regression-gate/gate-status.ts';
import { aGate, aPod, aReport, START_MS } from '../../src/controller/regression-gate/testing/a-cluster.ts';
import type { RegressionReportStatus } from '../../src/crds/regression-report.ts';
import { kustomize } from '../helm/helm.ts';

interface Health {
  readonly status: string;
  readonly message?: string;
}

const scripts = (): object => {
  const file = new URL('../../config/argocd/health/argocd-cm.yaml', import.meta.url);
  return parse(readFileSync(file, 'utf8')).data;
};

let program = '';
before(() => {
  const build = new URL('../argo-cd-health/build.sh', import.meta.url).pathname;
  program = join(execFileSync(build, { encoding: 'utf8' }).trim(), 'argo-cd-health');
});

function healthOf(object: object): Health {
  const input = JSON.stringify({ scripts: scripts(), objects: [object] });
  const [health] = JSON.parse(execFileSync(program, { input, encoding: 'utf8' })) as Health[];
  assert.ok(health);
  return health;
}

const said = (object: object): string => {
  const { status, message = '' } = healthOf(object);
  return `${status} ${message}`;
};

const aPolicy = (more: Partial<Observed>): object => {
  const observed = anObserved(more);
  return { ...observed.policy, status: decide(observed).status };
};

test('a policy is Progressing until the controller has seen its spec, also after a change', () => {
  const observed = anObserved();
  const { metadata } = observed.policy;
  const changed = { ...observed.policy, metadata: { ...metadata, generation: metadata.generation + 1 } };

  assert.match(said(observed.policy), /^Progressing Flamegate's controller has not seen this spec yet/);
  assert.match(said({ ...changed, status: decide(observed).status }), /^Progressing Flamegate's/);
});

test('a policy that profiles is Healthy, and so is one that has nothing to do or cannot', () => {
  assert.match(said(aPolicy({})), /^Healthy Profiling: 1 of 1 pods/);
  assert.match(said(aPolicy({ containers: [], pods: 0 })), /^Healthy NoPodsSelected: /);
  const stopped = aSelected({ running: false, phase: 'Pending', state: undefined });
  assert.match(said(aPolicy({ containers: [stopped] })), /^Healthy ContainerNotRunning: /);
  assert.match(
    said(aPolicy({ containers: [aSelected({ state: undefined })], agents: [] })),
    /^Healthy AgentsMissing: /,
  );
});

test('a policy is Progressing while agents are waited for', () => {
  assert.match(
    said(aPolicy({ containers: [aSelected({ state: undefined })] })),
    /^Progressing WaitingForAgents: /,
  );
});

test('a policy is Degraded where only somebody else can go on', () => {
  const workload = { namespace: 'shop', deployment: 'orders', labels: {}, containers: [], rolling: false };
  const policy = aPolicyOf({ mode: 'Immediate' });

  const fought = aPolicy({ policy, flags: [{ ...workload, conflicted: true }] });
  const refused = aPolicy({ policy, flags: [{ ...workload, conflicted: false, refused: 'forbidden' }] });

  assert.match(said(fought), /^Degraded FlagsConflict: .*Replace=true/);
  assert.match(said(refused), /^Degraded NotPermitted: .*forbidden/);
});

test('a policy of the cluster is shown like any other', () => {
  const policy = aPolicy({}) as { kind: string };

  assert.match(said({ ...policy, kind: 'ClusterProfilingPolicy' }), /^Healthy Profiling: /);
});

const arm = (hash: string) => ({ hash, images: ['orders:1'], builtFrom: {}, pods: [aPod({ name: hash })] });
const PAIR: Arms = { kind: 'Pair', target: 'x vs y', baseline: arm('aaa'), canary: arm('bbb') };

function aGateThat(finding: Finding, status?: RegressionReportStatus, arms: Arms = PAIR): object {
  const gate = aGate();
  const report = aReport();
  const shown = status && { report: report.metadata.name, spec: report.spec, status };
  return { ...gate, status: gateStatus({ gate, arms, finding, shown }, START_MS) };
}

const noPair = (reason: 'NoCanaryPods'): Arms => ({
  kind: 'NoPair',
  target: 'x vs y',
  reason,
  message: 'no canary',
});

test('a gate that waits for a canary is Healthy', () => {
  const waiting: Finding = { kind: 'Waiting', reason: 'NoCanaryPods', message: 'no canary' };

  assert.match(said(aGate()), /^Progressing Flamegate's controller/);
  assert.match(
    said(aGateThat(waiting, undefined, noPair('NoCanaryPods'))),
    /^Healthy WaitingForCanary: no canary/,
  );
});

test('a gate that compares is Progressing, also where Inconclusive is said early', () => {
  const startedAt = new Date(START_MS).toISOString();
  const collecting = {
    verdict: 'Collecting',
    reason: 'WaitingForLooks',
    message: 'looking',
    startedAt,
  } as const;
  const early = {
    verdict: 'Inconclusive',
    reason: 'DeadlineOutOfReach',
    message: 'too late',
    startedAt,
  } as const;

  assert.match(
    said(aGateThat({ kind: 'Evaluating' }, collecting)),
    /^Progressing Progressing: since .* looking/,
  );
  assert.match(said(aGateThat({ kind: 'Evaluating' }, early)), /^Progressing Progressing: /);
});

test('a gate is Degraded while a canary runs that failed, and Healthy when it is gone', () => {
  const failed = { verdict: 'Failed', reason: 'FunctionGrew', message: 'shop.Codec.encode grew' } as const;
  const waiting: Finding = { kind: 'Waiting', reason: 'NoCanaryPods', message: 'no canary' };

  assert.match(
    said(aGateThat({ kind: 'Decided' }, failed)),
    /^Degraded FunctionGrew: shop\.Codec\.encode grew/,
  );
  assert.match(said(aGateThat(waiting, failed, noPair('NoCanaryPods'))), /^Healthy WaitingForCanary: /);
});

test('Passed and Inconclusive are Healthy', () => {
  const passed = { verdict: 'Passed', reason: 'NoRegression', message: 'fine' } as const;
  const open = { verdict: 'Inconclusive', reason: 'DeadlineReached', message: 'too little' } as const;

  assert.match(said(aGateThat({ kind: 'Decided' }, passed)), /^Healthy Decided: Passed: /);
  assert.match(said(aGateThat({ kind: 'Decided' }, open)), /^Healthy Decided: Inconclusive: /);
});

test('a gate that cannot compare until somebody does something is Degraded', () => {
  for (const kind of ['InvalidSpec', 'TargetNotFound', 'NotPermitted', 'NotProfiled'] as const)
    assert.match(said(aGateThat({ kind, message: 'do this' })), new RegExp(`^Degraded ${kind}: do this`));
});

test('a report is what its evaluation came to', () => {
  const report = aReport();
  const of = (status: RegressionReportStatus | undefined): string => said({ ...report, status });

  assert.equal(of(undefined), 'Progressing not judged yet');
  assert.equal(
    of({ verdict: 'Collecting', reason: 'WaitingForLooks', message: 'looking' }),
    'Progressing WaitingForLooks: looking',
  );
  assert.equal(
    of({ verdict: 'Failed', reason: 'FunctionGrew', message: 'grew' }),
    'Degraded FunctionGrew: grew',
  );
  assert.equal(
    of({ verdict: 'Passed', reason: 'NoRegression', message: 'fine' }),
    'Healthy NoRegression: fine',
  );
  assert.equal(
    of({ verdict: 'Inconclusive', reason: 'DeadlineReached', message: 'late' }),
    'Unknown DeadlineReached: late',
  );
});

test('config/argocd/install is config/default in waves: what others need comes before them', () => {
  const directory = new URL('../../config', import.meta.url).pathname;
  const WAVE = 'argocd.argoproj.io/sync-wave';
  const waves = new Map<string, Set<string>>();
  const bare = kustomize(`${directory}/argocd/install`).map((object) => {
    const { [WAVE]: wave = 'none', ...others } = object.metadata.annotations ?? {};
    assert.deepEqual(others, {});
    waves.set(wave, (waves.get(wave) ?? new Set()).add(object.kind));
    const { annotations: _, ...metadata } = object.metadata;
    return { ...object, metadata };
  });

  assert.deepEqual(bare, kustomize(`${directory}/default`));
  assert.deepEqual([...waves.keys()].toSorted(), ['-1', '-2', '-3']);
  assert.deepEqual([...(waves.get('-3') ?? [])].toSorted(), ['CustomResourceDefinition', 'Namespace']);
  assert.deepEqual([...(waves.get('-1') ?? [])], ['Deployment']);
});
