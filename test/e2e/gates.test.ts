/**
 * The main job on real parts: one shared baseline, three clean canaries and one in which a single function
 * costs 5 % of the pod's CPU more, all judged side by side; the controller dies once in the middle.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Load, startLoad } from '../../scripts/demo/load.ts';
import type { RegressionGate } from '../../src/crds/regression-gate.ts';
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { eventually, getJson, kubectl } from '../cluster/cluster.ts';
import { applyGates, CLEAN, deployArms, REGRESSED } from './support/arms.ts';
import { fittingRate } from './support/fitting-load.ts';
import { isAlive, loadedSamplers, pidInPod } from './support/host.ts';
import { installFlamegate } from './support/install.ts';
import { rolledOut } from './support/orders.ts';

const NS = 'gates';
const LOAD_SECONDS = 1500;
const VERDICT_SECONDS = 1080;

describe('gates on a real cluster', () => {
  let load: Load;

  before(async () => {
    await installFlamegate();
    const groups = await deployArms(NS);
    load = startLoad(groups, await fittingRate({ namespace: NS, groups }), LOAD_SECONDS);
    applyGates(NS);
  });

  after(async () => {
    await load.stop();
    await kubectl('delete', 'namespace', NS, '--wait=false');
  });

  test('a controller that is killed in mid-evaluation goes on with the same evaluation', async () => {
    const before = await eventually('an evaluation under way', 120, () => evaluationOf(REGRESSED));
    const pod = (
      await kubectl(
        'get',
        'pods',
        '-n',
        'flamegate-system',
        '-l',
        'app.kubernetes.io/component=controller',
        '-o',
        'name',
      )
    ).trim();

    await kubectl('delete', '-n', 'flamegate-system', pod, '--grace-period=0', '--force');
    await rolledOut('flamegate-system', 'flamegate-controller', 120);

    assert.deepEqual(await evaluationOf(REGRESSED), before);
  });

  test('a canary with one function 5 % dearer fails and the function is named', async () => {
    const { gate, report } = await verdictOf(REGRESSED);

    assert.equal(gate.status?.verdict, 'Failed', gate.status?.summary);
    assert.match(report.status?.culprits?.[0]?.function ?? '', /shop\.Surcharge/);
    assert.equal(gate.status.conditions?.find((c) => c.type === 'Regressed')?.status, 'True');
    assert.equal(gate.status.conditions.find((c) => c.type === 'Ready')?.status, 'True');
  });

  test('of three clean canaries none fails and not all stay open, and each says how small a growth it could have seen', async () => {
    const judged = await Promise.all(CLEAN.map(verdictOf));

    const verdicts = judged.map(({ gate }) => gate.status?.verdict);
    assert.ok(!verdicts.includes('Failed'), describeAll(judged));
    // Two or three pass on most days; where the pods of one arm share their threads' work otherwise, fewer can be shown to.
    assert.ok(verdicts.includes('Passed'), describeAll(judged));
    for (const { report } of judged) assert.match(report.status?.checks?.[0]?.detectable ?? '', /%$/);
  });

  test('kubectl get shows target, verdict, change and worst function', async () => {
    const table = await kubectl('get', 'regressiongates', '-n', NS);
    console.log(table);
    console.log(await kubectl('get', 'regressionreports', '-n', NS));

    assert.match(table.split('\n')[0] ?? '', /NAME\s+TARGET\s+VERDICT\s+P99Δ\s+CPUΔ\s+WORST\s+AGE/);
    assert.match(table, /surcharge\s.*Failed\s.*Surcharge/);
  });

  test('an agent that is killed leaves no BPF program and no file in a pod', async () => {
    const agentPid = await pidInPod(
      'flamegate-agents',
      'app.kubernetes.io/component=agent',
      '/app/dist/agent/main.mjs',
    );
    const programsBefore = loadedSamplers();
    assert.ok(programsBefore >= 1, 'the agent holds a BPF program while it lives');

    process.kill(agentPid, 'SIGKILL');

    await eventually('the killed agent to be gone', 20, () => (isAlive(agentPid) ? undefined : true));
    const found = await kubectl(
      'exec',
      '-n',
      NS,
      'deployment/stable',
      '--',
      '/opt/java/bin/jcmd',
      '1',
      'VM.version',
    );
    assert.match(found, /JDK|OpenJDK/);
    await eventually('one sampler again, not two', 60, () =>
      loadedSamplers() === programsBefore ? true : undefined,
    );
  });
});

async function evaluationOf(name: string) {
  const gate = await getJson<RegressionGate>('regressiongate', name, '-n', NS);
  return gate?.status?.evaluation;
}

async function verdictOf(name: string): Promise<{ gate: RegressionGate; report: RegressionReport }> {
  const gate = await eventually(`the verdict of ${name}`, VERDICT_SECONDS, async () => {
    const seen = await getJson<RegressionGate>('regressiongate', name, '-n', NS);
    return ['Passed', 'Failed', 'Inconclusive'].includes(seen?.status?.verdict ?? '') ? seen : undefined;
  });
  const report = await getJson<RegressionReport>(
    'regressionreport',
    gate.status?.evaluation?.report ?? '',
    '-n',
    NS,
  );
  assert.ok(report, 'the report of the evaluation exists');
  const check = report.status?.checks?.[0];
  console.log(`${name}: ${gate.status?.verdict}, ${gate.status?.summary} (detectable ${check?.detectable})`);
  return { gate, report };
}

function describeAll(judged: readonly { gate: RegressionGate }[]): string {
  return judged
    .map(({ gate }) => `${gate.metadata.name}: ${gate.status?.verdict} ${gate.status?.summary}`)
    .join('\n');
}
