/** `flamegate plan`: what a gate would see with how many canary pods, and the steps of a rollout that give it the time. */
import { plannedPower } from '../crds/certification.ts';
import { parseDurationMs } from '../crds/quantities.ts';
import { API_VERSION } from '../crds/schema.ts';
import { parseRegressionGate } from '../crds/validators.ts';
import { HistoryCollector } from '../detect/baseline-history.ts';
import { certificationSentence } from '../detect/certification-text.ts';
import { type Certification, certify, uncertifiable } from '../detect/certify.ts';
import type { GateSettings } from '../detect/gate-evaluation.ts';
import { seededRandom, seedOf } from '../detect/seeded-random.ts';
import { kubeClient } from '../kube/client.ts';
import type { RecordedWindow } from '../wire/window-lines.ts';
import { CliError, type Outcome } from './cli-error.ts';
import { clusterConfig } from './cluster-config.ts';
import type { ClusterOptions, Command, ObjectName } from './command.ts';
import { podWindowOf } from './past-evaluations.ts';
import { type Plan, renderPlan } from './plan-text.ts';
import { readRecording } from './recording.ts';
import { defaultSpec, type ReplayOverrides, settingsFor } from './replay.ts';

export type PlanSource =
  | {
      readonly kind: 'recordings';
      readonly directories: readonly string[];
      /** How the names of the pods begin; undefined: all of the recording. */
      readonly pods: string | undefined;
      readonly mostPlacebos: number | undefined;
    }
  | { readonly kind: 'gate'; readonly gate: ObjectName; readonly cluster: ClusterOptions };

export async function runPlan(command: Extract<Command, { kind: 'plan' }>): Promise<Outcome> {
  const { source, overrides, format } = command;
  const plan =
    source.kind === 'gate'
      ? await planOfGate(source.gate, source.cluster)
      : await planOfRecordings(source, overrides);
  return { text: renderPlan(plan, format), exitCode: plan.holds ? 0 : 1 };
}

/** As the controller certified it. */
async function planOfGate({ namespace, name }: ObjectName, cluster: ClusterOptions): Promise<Plan> {
  const ref = { apiVersion: API_VERSION, plural: 'regressiongates', namespace, name };
  const stored = await kubeClient(clusterConfig(cluster)).get(ref);
  if (stored === undefined) throw new CliError('GATE_NOT_FOUND', `no RegressionGate ${namespace}/${name}`);
  const { status, spec } = parseRegressionGate(stored);
  const certification = status?.certification;
  if (certification === undefined) {
    const sentence = `gate ${namespace}/${name} is not certified yet: it is before a rollout, or when asked by kubectl annotate regressiongate -n ${namespace} ${name} flamegate.dev/certify=$(date +%s) --overwrite`;
    throw new CliError('NOT_CERTIFIED', sentence);
  }
  const condition = status?.conditions?.find(({ type }) => type === 'Certified');
  return {
    summary: certification.summary,
    holds: condition?.reason !== 'PlacebosFailed',
    baselinePods: certification.pods,
    podVarianceFactor: Number(certification.podVarianceFactor),
    falseAlarms: certification.falseAlarms ?? [],
    rows: certification.plan,
    warmUpMs: parseDurationMs(spec.duration.warmUp),
    minDurationMs: parseDurationMs(spec.duration.min),
    deadlineMs: parseDurationMs(spec.duration.deadline),
  };
}

/** Certified here and now, from pods of one version. */
async function planOfRecordings(
  { directories, pods, mostPlacebos }: Extract<PlanSource, { kind: 'recordings' }>,
  overrides: ReplayOverrides,
): Promise<Plan> {
  const settings = settingsFor(defaultSpec(), overrides);
  const recorded = (await Promise.all(directories.map(readRecording))).flatMap(({ windows }) => windows);
  const certification = certifyWindows(
    recorded.filter(({ meta }) => pods === undefined || `${meta.pod}-`.startsWith(`${pods}-`)),
    settings,
    mostPlacebos,
  );
  const { deadlineMs, minDurationMs, warmUpMs } = settings;
  return {
    summary: certificationSentence(certification, deadlineMs),
    holds: certification.holds,
    baselinePods: certification.plan.baselinePods,
    podVarianceFactor: certification.podVarianceFactor,
    falseAlarms: certification.falseAlarms.map(({ what, times }) => `${what} (${times})`),
    rows: certification.plan.rows.map(plannedPower),
    ...{ warmUpMs, minDurationMs, deadlineMs },
  };
}

function certifyWindows(
  recorded: readonly RecordedWindow[],
  settings: GateSettings,
  mostGates: number | undefined,
): Certification {
  const collector = new HistoryCollector(settings.warmUpMs);
  const windows = recorded.map(podWindowOf);
  for (const ofPod of Map.groupBy(windows, ({ pod }) => pod).values()) collector.add(ofPod);
  const random = seededRandom(seedOf([...new Set(windows.map(({ pod }) => pod))].sort().join()));
  const history = collector.history(random);
  const lack = uncertifiable(history);
  if (lack !== undefined) throw new CliError('NOT_CERTIFIED', `${lack.reason}: ${lack.message}`);
  const baselinePods = new Set(recorded.map(({ meta }) => meta.podUid)).size;
  const certifying = certify(history, {
    ...{ settings, random, baselinePods },
    ...(mostGates === undefined ? {} : { mostGates }),
  });
  for (;;) {
    const step = certifying.next();
    if (step.done === true) return step.value;
  }
}
