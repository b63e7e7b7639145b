/** What each watched container did in one window, as the wire wants it. */
import type { SampleBatch, TargetCounts } from '../native/sample-batch.ts';
import type { SampleMoment, SampleRow } from '../native/sample-rows.ts';
import type { PprofWriter } from '../profile/pprof-writer.ts';
import type { Losses, PodWindow } from '../wire/batch-schema.ts';
import type { BatchStacks } from './batch-stacks.ts';
import type { CpuUsage } from './cgroup-usage.ts';
import type { TimedSample } from './container-served.ts';
import { withDoubt } from './jvm-report.ts';
import type { SeenRequests } from './request-host.ts';
import type { TrackedContainer } from './tracked-container.ts';
import { isDoubtful, UNKNOWN, UNNAMED_CODE, type WindowNames } from './window-names.ts';
import { timedSamples } from './window-served.ts';

export interface ContainerWindow {
  readonly container: TrackedContainer;
  readonly usage: CpuUsage;
  readonly rows: readonly SampleRow[];
  readonly targets: readonly TargetCounts[];
}

/** Deals the rows of a batch to the containers they belong to. */
export function dealRows(
  batch: SampleBatch | undefined,
  containers: readonly { container: TrackedContainer; usage: CpuUsage }[],
): readonly ContainerWindow[] {
  const byTarget = new Map<bigint, { rows: SampleRow[]; targets: TargetCounts[] }>();
  const windows = containers.map(({ container, usage }) => {
    const window = { container, usage, rows: [] as SampleRow[], targets: [] as TargetCounts[] };
    for (const id of container.windowTargets) byTarget.set(id, window);
    return window;
  });
  for (const row of batch?.rows ?? []) byTarget.get(row.target)?.rows.push(row);
  for (const target of batch?.targets ?? []) byTarget.get(target.id)?.targets.push(target);
  return windows;
}

/** Share of a JVM's samples of the window that have a frame without a name, by JVM process. */
export function unnamedShares(window: ContainerWindow, names: WindowNames): Map<number, number> {
  const tallies = new Map<number, { all: number; unnamed: number }>();
  for (const row of window.rows) {
    const process = window.container.processes.get(row.pid);
    if (!process?.jvm) continue;
    const tally = tallies.get(row.pid) ?? { all: 0, unnamed: 0 };
    tally.all += row.count;
    if (names.hasUnnamedCode(row, process)) tally.unnamed += row.count;
    tallies.set(row.pid, tally);
  }
  return new Map([...tallies].map(([pid, { all, unnamed }]) => [pid, unnamed / all]));
}

export interface FoldContext {
  readonly names: WindowNames;
  readonly stacks: BatchStacks;
  readonly nowMs: number;
  /** Of what was lost on the node, the share that was lost in the table of stacks and not in the ring. */
  readonly tableShare: number;
  /** By container id, of those that are watched. */
  readonly requests: ReadonlyMap<string, SeenRequests>;
  /** By target, where they are kept. */
  readonly moments: ReadonlyMap<bigint, readonly SampleMoment[]>;
  /** That of a container whose profiles go somewhere. */
  profileOf(container: TrackedContainer): Pick<PprofWriter, 'add'> | undefined;
}

export function foldWindow(window: ContainerWindow, context: FoldContext): PodWindow {
  const { assigned, processes } = window.container;
  const counts = new Map<number, number>();
  let unnamed = 0;
  let noRoom = 0;
  let doubtful = 0;
  const java = { samples: 0, interpreted: 0 };
  const profile = context.profileOf(window.container);
  for (const row of window.rows) {
    const frames = context.names.stackOf(row, processes.get(row.pid));
    const leaf = frames[0]?.name;
    if (leaf === UNNAMED_CODE || (leaf === UNKNOWN && row.user.length > 0)) unnamed += row.count;
    if (isDoubtful(frames)) doubtful += row.count;
    const topmost = context.names.javaFrameOf(row);
    if (topmost !== undefined) java.samples += row.count;
    if (topmost?.isInterpreted === true) java.interpreted += row.count;
    profile?.add(frames, row.count);
    if (!assigned.gated) continue;
    const stack = context.stacks.add(frames);
    if (stack === undefined) noRoom += row.count;
    else counts.set(stack, (counts.get(stack) ?? 0) + row.count);
  }
  const { namespace, pod, podUid, container, containerId, startedAtMs } = assigned;
  const requests = context.requests.get(containerId)?.window;
  return {
    ...{ namespace, pod, podUid, container, containerId, startedAtMs },
    hz: window.container.frequencyHz,
    ...window.usage,
    samples: sum(window.targets, (target) => target.seen),
    losses: { ...lossesOf(window.targets, context.tableShare, noRoom), unnamed },
    jvm: withDoubt(
      window.container.report(context.nowMs),
      doubtful,
      sum(window.rows, (row) => row.count),
    ),
    ...(java.samples > 0 && { java }),
    ...(requests && { requests }),
    counts: [...counts],
  };
}

/** Of a window whose requests are watched, the moments of its samples, to find requests for. */
export function timedSamplesOf(
  { container, rows }: ContainerWindow,
  { names, moments }: Pick<FoldContext, 'names' | 'moments'>,
): { readonly samples: readonly TimedSample[]; readonly unseen: number } {
  const ofContainer = [...container.windowTargets].flatMap((target) => moments.get(target) ?? []);
  const samples = timedSamples(ofContainer, 'samples', (row) =>
    names.stackOf(row, container.processes.get(row.pid)),
  );
  return { samples, unseen: sum(rows, (row) => row.count) - samples.length };
}

function lossesOf(
  targets: readonly TargetCounts[],
  tableShare: number,
  noRoom: number,
): Omit<Losses, 'unnamed'> {
  const lost = sum(targets, (target) => target.lost);
  const tableFull = Math.round(lost * tableShare);
  return {
    ringFull: lost - tableFull,
    tableFull: tableFull + noRoom,
    noUserStack: sum(targets, (target) => target.noUserStack),
    truncated: sum(targets, (target) => target.truncated),
  };
}

function sum<T>(values: readonly T[], numberOf: (value: T) => number): number {
  return values.reduce((total, value) => total + numberOf(value), 0);
}
