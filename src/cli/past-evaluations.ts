/** Evaluations that have been, put together again from the windows they were made of. Pure. */
import type { RegressionGate, RegressionGateSpec } from '../crds/regression-gate.ts';
import type { RegressionReport } from '../crds/regression-report.ts';
import type { PodWindow } from '../detect/pod-window.ts';
import type { RecordedWindow } from '../wire/window-lines.ts';

export interface PastEvaluation {
  readonly name: string;
  readonly startedAtMs: number;
  /** Those of before it too. */
  readonly baseline: readonly PodWindow[];
  readonly canary: readonly PodWindow[];
  /** Absent: nobody wrote it down. */
  readonly said?: Said;
  /** Of its gate; absent: not known. */
  readonly spec?: RegressionGateSpec;
  readonly podVarianceFactor?: number;
}

export interface Said {
  readonly verdict: string;
  readonly reason?: string;
  /** From its beginning; absent: not decided. */
  readonly afterMs?: number;
  /** Functions, and other checks by their names, that failed it. */
  readonly by: readonly string[];
}

/** What the controller wrote about a recording's pods. */
export interface KeptEvaluations {
  readonly gates: readonly RegressionGate[];
  readonly reports: readonly RegressionReport[];
}

/** How the two arms of an evaluation are found among pods. */
export interface ArmNames {
  readonly baseline: string;
  readonly canary: string;
}

/** One evaluation of the pods whose names begin with the arms'; it begins with the first window both have had. */
export function namedEvaluation(windows: readonly RecordedWindow[], arms: ArmNames): PastEvaluation {
  const ofArm = (name: string): PodWindow[] =>
    windows.filter(({ meta }) => `${meta.pod}-`.startsWith(`${name}-`)).map(podWindowOf);
  const baseline = ofArm(arms.baseline);
  const canary = ofArm(arms.canary);
  const startedAtMs = Math.max(firstMs(baseline), firstMs(canary));
  return { name: `${arms.baseline} → ${arms.canary}`, startedAtMs, baseline, canary };
}

/** Every rollout in a recording: two revisions of a Deployment, one after the other, with a time at which both ran. */
export function rolloutsIn(windows: readonly RecordedWindow[]): PastEvaluation[] {
  const named = windows.flatMap((window) => {
    const revision = revisionOf(window.meta.pod);
    return revision === undefined ? [] : [{ ...revision, window }];
  });
  return [...Map.groupBy(named, ({ workload }) => workload)].flatMap(([workload, ofWorkload]) => {
    const revisions = [...Map.groupBy(ofWorkload, ({ hash }) => hash)]
      .map(([hash, ofHash]) => ({ hash, windows: ofHash.map(({ window }) => podWindowOf(window)) }))
      .sort((a, b) => firstMs(a.windows) - firstMs(b.windows));
    return revisions.slice(1).flatMap((canary, older) => {
      const baseline = revisions[older];
      const startedAtMs = firstMs(canary.windows);
      if (baseline === undefined || lastMs(baseline.windows) <= startedAtMs) return [];
      const name = `${workload}: ${baseline.hash} → ${canary.hash}`;
      return [{ name, startedAtMs, baseline: baseline.windows, canary: canary.windows }];
    });
  });
}

/** Evaluations the controller made, the oldest first; one whose pods have no windows here has empty arms. */
export function keptEvaluations(
  { gates, reports }: KeptEvaluations,
  windows: readonly RecordedWindow[],
): PastEvaluation[] {
  const byHash = Map.groupBy(windows, ({ meta }) => revisionOf(meta.pod)?.hash ?? '');
  const armOf = (hashes: string): PodWindow[] =>
    hashes.split('.').flatMap((hash) => (byHash.get(hash) ?? []).map(podWindowOf));
  return reports.map((report) => ({
    ...keptEvaluation(report, gates),
    baseline: armOf(report.spec.baselineHash),
    canary: armOf(report.spec.canaryHash),
  }));
}

/** All but its windows. */
export function keptEvaluation(
  report: RegressionReport,
  gates: readonly RegressionGate[],
): Omit<PastEvaluation, 'baseline' | 'canary'> {
  const { name, namespace, creationTimestamp } = report.metadata;
  const gate = gates.find(
    ({ metadata }) => metadata.namespace === namespace && metadata.name === report.spec.gate,
  );
  const factor = Number(gate?.status?.certification?.podVarianceFactor ?? 1);
  const said = saidBy(report);
  return {
    name: `${namespace}/${name}`,
    startedAtMs: Date.parse(report.status?.startedAt ?? creationTimestamp),
    ...(said === undefined ? {} : { said }),
    ...(gate === undefined ? {} : { spec: gate.spec }),
    ...(factor > 1 ? { podVarianceFactor: factor } : {}),
  };
}

function saidBy({ status }: RegressionReport): Said | undefined {
  if (status?.verdict === undefined) return undefined;
  const { verdict, reason, startedAt, decidedAt, checks = [], culprits = [] } = status;
  const culprit = culprits.find(({ kind }) => kind !== 'Moved')?.function;
  return {
    verdict,
    ...(reason === undefined ? {} : { reason }),
    ...(startedAt === undefined || decidedAt === undefined
      ? {}
      : { afterMs: Date.parse(decidedAt) - Date.parse(startedAt) }),
    by: failedBy(checks, culprit),
  };
}

/** A check of functions is said by the function. */
export const failedBy = (
  checks: readonly { readonly check: string; readonly verdict: string }[],
  culprit: string | undefined,
): string[] =>
  checks
    .filter(({ verdict }) => verdict === 'Failed')
    .map(({ check }) => (check === 'cpu.function' ? (culprit ?? check) : check));

/** In the form src/detect judges. */
export function podWindowOf({ meta, stacks, requests }: RecordedWindow): PodWindow {
  const {
    podUid,
    container,
    startMs,
    endMs,
    startedAtMs,
    samples,
    lost,
    hz,
    cpuUsec,
    throttledUsec,
    flags,
    java,
  } = meta;
  return {
    pod: `${podUid}/${container}`,
    ...{ startMs, endMs, podStartedAtMs: startedAtMs },
    ...{ samplesTaken: samples, samplesLost: lost, hz, cpuUsec, throttledUsec },
    flags,
    host: { pod: meta.pod, node: meta.node, cpuModel: meta.cpuModel ?? '' },
    stacks,
    ...(java && { java }),
    ...(requests && { requests }),
  };
}

/** A Deployment's pod is called DEPLOYMENT-HASH-ID. */
function revisionOf(pod: string): { readonly workload: string; readonly hash: string } | undefined {
  const [, workload, hash] = /^(.+)-([a-z0-9]{1,10})-[a-z0-9]{5}$/.exec(pod) ?? [];
  return workload === undefined || hash === undefined ? undefined : { workload, hash };
}

const firstMs = (windows: readonly PodWindow[]): number =>
  windows.reduce((first, { startMs }) => Math.min(first, startMs), Number.POSITIVE_INFINITY);

const lastMs = (windows: readonly PodWindow[]): number =>
  windows.reduce((last, { endMs }) => Math.max(last, endMs), 0);
