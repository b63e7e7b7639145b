/** What was read, written and synced in one window of a container, as the wire wants it. */
import { IO_KINDS, type IoRow, type IoTarget } from '../native/io-batch.ts';
import {
  IO_LATENCY_BUCKETS,
  type IoFunction,
  type IoKind,
  type IoKindWithStacks,
  type IoWindow,
  ioFrame,
  ioFunctionKey,
  MOST_IO_FUNCTIONS,
} from '../profile/io-window.ts';
import { NOWHERE } from '../profile/place.ts';
import { platformCallOf } from '../profile/platform-call.ts';
import { LONGEST_BLOCKED_STACK } from '../profile/waiting-window.ts';
import type { BatchStacks } from './batch-stacks.ts';
import { type Dealt, seenUnless } from './dealt-targets.ts';
import type { WatchFailure } from './target-watch.ts';
import type { WindowNames } from './window-names.ts';

export type ContainerIo = Dealt<IoRow, IoTarget>;

export interface IoContext {
  readonly names: WindowNames;
  readonly stacks: BatchStacks;
  readonly failure: WatchFailure | undefined;
}

/** Of a window of ten seconds, a hundredth of one thread. */
const LEAST_NS = 100_000_000;
/** Ten a second, whatever they take: on another disk each takes milliseconds. */
const LEAST_SYNCS = 100;

/** With how long it took by its longest stack. */
type Counted = IoFunction & { readonly longestNs: number };

export function foldIo(io: ContainerIo, context: IoContext): IoWindow {
  const { assigned, processes } = io.container;
  const functions = new Map<string, Counted>();
  const counts = new Map<number, number>();
  let lostCalls = sumOf(io.targets, ({ lost }) => lost.calls);
  let lostNs = sumOf(io.targets, ({ lost }) => lost.ns);
  for (const row of io.rows) {
    const { kind } = row;
    if (!hasStacks(kind)) continue;
    const frames = context.names.stackOf(row, processes.get(row.pid));
    addTo(
      functions,
      { kind, calls: row.count, ns: row.ns },
      frames.map(({ name }) => name),
    );
    if (!assigned.gated) continue;
    const stack = context.stacks.add([{ name: ioFrame(kind), place: NOWHERE }, ...frames]);
    if (stack === undefined) {
      lostCalls += row.count;
      lostNs += row.ns;
    } else counts.set(stack, (counts.get(stack) ?? 0) + row.ns);
  }
  return {
    ...seenUnless(context.failure),
    leastMs: assigned.io?.leastMs ?? 0,
    totals: totalsOf(io.targets),
    unseen: sumOf(io.targets, ({ unseen }) => unseen),
    lost: { calls: lostCalls, ns: lostNs },
    functions: worstOf([...functions.values()]),
    counts: [...counts],
  };
}

const hasStacks = (kind: IoKind): kind is IoKindWithStacks => kind !== 'socketReceive';

const sumOf = (targets: readonly IoTarget[], of: (target: IoTarget) => number): number =>
  targets.reduce((sum, target) => sum + of(target), 0);

/** Threads without a Java frame are the JVM's own: what they call goes by the leaf's name. */
function addTo(
  known: Map<string, Counted>,
  { kind, calls, ns }: Pick<IoFunction, 'kind' | 'calls' | 'ns'>,
  names: readonly string[],
): void {
  const [leaf = ''] = names;
  const called = platformCallOf(names) ?? { call: leaf, caller: leaf };
  const key = ioFunctionKey({ ...called, kind });
  const before = known.get(key);
  const isLonger = ns > (before?.longestNs ?? 0);
  known.set(key, {
    ...called,
    kind,
    calls: calls + (before?.calls ?? 0),
    ns: ns + (before?.ns ?? 0),
    stack: isLonger ? names.slice(0, LONGEST_BLOCKED_STACK) : (before?.stack ?? []),
    longestNs: Math.max(ns, before?.longestNs ?? 0),
  });
}

function worstOf(functions: readonly Counted[]): readonly IoFunction[] {
  return functions
    .filter(({ kind, calls, ns }) => ns >= LEAST_NS || (kind === 'fileSync' && calls >= LEAST_SYNCS))
    .toSorted((a, b) => b.ns - a.ns)
    .slice(0, MOST_IO_FUNCTIONS)
    .map(({ longestNs: _, ...each }) => each);
}

function totalsOf(targets: readonly IoTarget[]): IoWindow['totals'] {
  return IO_KINDS.flatMap((kind) => {
    const of = (what: 'calls' | 'failed' | 'bytes' | 'ns') =>
      sumOf(targets, ({ totals }) => totals[kind][what]);
    const [calls, failed] = [of('calls'), of('failed')];
    if (calls + failed === 0) return [];
    const latency = Array.from({ length: IO_LATENCY_BUCKETS }, (_, bucket) =>
      sumOf(targets, ({ totals }) => totals[kind].latency[bucket] ?? 0),
    );
    return [{ kind, calls, failed, bytes: of('bytes'), ns: of('ns'), latency }];
  });
}
