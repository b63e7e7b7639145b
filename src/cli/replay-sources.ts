/** Where past evaluations come from: recordings, the cluster with its controller, a copy of the controller's database. */
import type { KubeConfig } from '@kubernetes/client-node';
import type { RegressionGate } from '../crds/regression-gate.ts';
import type { RegressionReport } from '../crds/regression-report.ts';
import { HISTORY_MS } from '../detect/request-spread.ts';
import { kubeClient } from '../kube/client.ts';
import { type LabelSelectorLike, selectorText } from '../kube/label-selector.ts';
import { openStoredEvaluations } from '../store/stored-evaluations.ts';
import { windowsPath } from '../wire/endpoints.ts';
import type { RecordedWindow } from '../wire/window-lines.ts';
import { CliError } from './cli-error.ts';
import { clusterConfig } from './cluster-config.ts';
import type { ClusterOptions, ObjectName } from './command.ts';
import { openController } from './controller-connection.ts';
import { readEvaluations, readKeptEvaluations } from './kept-evaluations.ts';
import {
  type ArmNames,
  keptEvaluations,
  namedEvaluation,
  type PastEvaluation,
  rolloutsIn,
} from './past-evaluations.ts';
import { readRecording } from './recording.ts';
import { decodeAnswer, MAX_ANSWER_BYTES } from './window-answers.ts';

export type ReplaySource =
  | {
      readonly kind: 'recordings';
      readonly directories: readonly string[];
      readonly arms: ArmNames | undefined;
    }
  | { readonly kind: 'gate'; readonly gate: ObjectName; readonly cluster: ClusterOptions }
  | { readonly kind: 'database'; readonly file: string };

/** The oldest first. Throws NO_EVALUATIONS when there is none. */
export async function pastEvaluations(source: ReplaySource): Promise<readonly PastEvaluation[]> {
  switch (source.kind) {
    case 'recordings':
      return (
        await Promise.all(source.directories.map((directory) => ofRecording(directory, source.arms)))
      ).flat();
    case 'gate':
      return ofGate(source.gate, source.cluster);
    case 'database':
      return ofDatabase(source.file);
  }
}

async function ofRecording(
  directory: string,
  arms: ArmNames | undefined,
): Promise<readonly PastEvaluation[]> {
  const { windows } = await readRecording(directory);
  if (arms !== undefined) return [assertBothArms(namedEvaluation(windows, arms), directory)];
  const kept = await readKeptEvaluations(directory);
  // Gates of other pods of the namespace are kept too.
  const found = (kept === undefined ? [] : keptEvaluations(kept, windows)).filter(
    ({ baseline, canary }) => baseline.length + canary.length > 0,
  );
  const evaluations = found.length > 0 ? found : rolloutsIn(windows);
  if (evaluations.length > 0) return evaluations;
  const sentence = `${directory} holds no evaluation and no rollout of a Deployment; name the arms with --baseline and --canary`;
  throw new CliError('NO_EVALUATIONS', sentence);
}

function assertBothArms(evaluation: PastEvaluation, directory: string): PastEvaluation {
  if (evaluation.baseline.length > 0 && evaluation.canary.length > 0) return evaluation;
  const sentence = `${directory} has ${evaluation.baseline.length} windows of the baseline and ${evaluation.canary.length} of the canary (${evaluation.name}): an arm is named by how its pods' names begin`;
  throw new CliError('NO_EVALUATIONS', sentence);
}

/** The reports of a gate, with what the controller still has of their pods. */
async function ofGate(
  { namespace, name }: ObjectName,
  cluster: ClusterOptions,
): Promise<readonly PastEvaluation[]> {
  const config = clusterConfig(cluster);
  const { gates, reports } = await readEvaluations(kubeClient(config), namespace);
  const gate = gates.find(({ metadata }) => metadata.name === name);
  const ofGate = reports.filter(({ spec }) => spec.gate === name);
  if (gate === undefined || ofGate.length === 0) {
    const sentence = `gate ${namespace}/${name} ${gate === undefined ? 'is not there' : 'has no RegressionReport'}`;
    throw new CliError('NO_EVALUATIONS', sentence);
  }
  const controller = await openController(config, cluster);
  const began = ofGate.map(({ status, metadata }) =>
    Date.parse(status?.startedAt ?? metadata.creationTimestamp),
  );
  const fromMs = Math.max(0, Math.min(...began) - HISTORY_MS);
  const windows = new Map<string, RecordedWindow>();
  for (const selector of await selectorsOf(gate, ofGate, config)) {
    const query = new URLSearchParams({ selector, fromMs: String(fromMs) });
    const body = await controller.get(`${windowsPath(namespace)}?${query}`, MAX_ANSWER_BYTES);
    for (const window of decodeAnswer(body.toString('utf8'))) {
      const { podUid, container, startMs } = window.meta;
      windows.set(`${podUid}/${container}/${startMs}`, window);
    }
  }
  const ordered = [...windows.values()].sort((a, b) => a.meta.startMs - b.meta.startMs);
  return keptEvaluations({ gates: [gate], reports: ofGate }, ordered);
}

/** One for each arm, because an answer is bounded; only pods of revisions that were compared. */
async function selectorsOf(
  { spec, metadata }: RegressionGate,
  reports: readonly RegressionReport[],
  config: KubeConfig,
): Promise<readonly string[]> {
  const hashes = (hashOf: (report: RegressionReport) => string): string =>
    [...new Set(reports.flatMap((report) => hashOf(report).split('.')))].join(',');
  const ofBaseline = hashes((report) => report.spec.baselineHash);
  const ofCanary = hashes((report) => report.spec.canaryHash);
  const of = (selector: LabelSelectorLike, all: string): string =>
    `${selectorText(selector)},pod-template-hash in (${all})`;
  if (spec.baseline !== undefined && spec.canary !== undefined) {
    return [of(spec.baseline.podSelector, ofBaseline), of(spec.canary.podSelector, ofCanary)];
  }
  const { apiVersion = 'apps/v1', kind = 'Deployment', name = '' } = spec.targetRef ?? {};
  if (kind !== 'Deployment') {
    return [ofBaseline, ofCanary].map((all) => `${HASH_LABELS[kind]} in (${all})`);
  }
  const ref = { apiVersion, plural: 'deployments', namespace: metadata.namespace, name };
  const deployment = await kubeClient(config).get<{
    readonly spec: { readonly selector: LabelSelectorLike };
  }>(ref);
  if (deployment === undefined) {
    throw new CliError('NO_EVALUATIONS', `Deployment ${name} of the gate is not there any more`);
  }
  return [of(deployment.spec.selector, ofBaseline), of(deployment.spec.selector, ofCanary)];
}

/** Where pods of each kind of workload carry the hash of their revision. */
const HASH_LABELS = {
  StatefulSet: 'controller-revision-hash',
  Rollout: 'rollouts-pod-template-hash',
  Canary: 'pod-template-hash',
} as const;

/** It does not say what was said, nor of which gate: the defaults are what is asked again. */
function ofDatabase(file: string): readonly PastEvaluation[] {
  const stored = openStoredEvaluations(file);
  try {
    const evaluations = stored.all.map(({ uid, seenMs, pods }) => ({
      name: uid,
      startedAtMs: seenMs,
      baseline: stored.windows(pods.baseline, seenMs - HISTORY_MS),
      canary: stored.windows(pods.canary, seenMs),
    }));
    if (evaluations.length > 0) return evaluations;
    throw new CliError('NO_EVALUATIONS', `${file} knows of no evaluation`);
  } finally {
    stored.close();
  }
}
