/** Who waited in one window of a container, as the wire wants it. */
import { frameOf, WAIT_KINDS } from '../native/frame-word.ts';
import type { SampleMoment, SampleRow } from '../native/sample-rows.ts';
import type { WaitRow, WaitTarget } from '../native/wait-batch.ts';
import { NOWHERE } from '../profile/place.ts';
import {
  blockingOnDefault,
  WAIT_REASONS,
  type WaitReason,
  waitFrame,
  waitReason,
} from '../profile/waiting.ts';
import {
  type BlockedCall,
  blockedCallKey,
  LONGEST_BLOCKED_STACK,
  MOST_BLOCKED,
  type WaitingWindow,
} from '../profile/waiting-window.ts';
import type { BatchStacks } from './batch-stacks.ts';
import type { TimedSample } from './container-served.ts';
import { type Dealt, seenUnless } from './dealt-targets.ts';
import type { SamplerFailure } from './sampler-host.ts';
import type { NamedFrame, WindowNames } from './window-names.ts';
import { timedSamples } from './window-served.ts';

export type ContainerWaits = Dealt<WaitRow, WaitTarget>;

export interface WaitContext {
  readonly names: WindowNames;
  readonly stacks: BatchStacks;
  /** Of the batch the rows are of. */
  readonly addresses: BigUint64Array;
  readonly failure: SamplerFailure | undefined;
}

export interface TimedWaitContext extends WaitContext {
  /** By target, of waits of containers whose requests are watched. */
  readonly moments: ReadonlyMap<bigint, readonly SampleMoment[]>;
}

/** Of a window of ten seconds, a hundredth of one thread: what is blocked for less is no finding. */
const LEAST_BLOCKED_NS = 100_000_000;
const NOTHING = new Uint32Array(0);
const IDLE: readonly NamedFrame[] = [{ name: waitFrame('idle'), place: NOWHERE }];

export function foldWaits(waits: ContainerWaits, context: WaitContext): WaitingWindow {
  const { assigned } = waits.container;
  const reasons = new Map<WaitReason, number>();
  const counts = new Map<number, number>();
  const blocked = new Map<string, BlockedCall & { longestNs: number }>();
  let lostNs = waits.targets.reduce((sum, target) => sum + target.lostNs, 0);
  for (const row of waits.rows) {
    const { frames, names, reason } = namedWait(row, waits, context);
    reasons.set(reason, (reasons.get(reason) ?? 0) + row.ns);
    addBlocked(blocked, reason, names, row.ns);
    if (!assigned.gated) continue;
    const stack = context.stacks.add(reason === 'idle' ? IDLE : withReason(reason, frames));
    if (stack === undefined) lostNs += row.ns;
    else counts.set(stack, (counts.get(stack) ?? 0) + row.ns);
  }
  return {
    ...seenUnless(context.failure),
    leastMs: assigned.offCpu?.leastMs ?? 0,
    totals: totalsOf(waits.targets),
    reasons: WAIT_REASONS.flatMap((reason) => {
      const ns = reasons.get(reason);
      return ns === undefined ? [] : [{ reason, ns }];
    }),
    lostNs,
    blocked: worstOf([...blocked.values()]),
    counts: [...counts],
  };
}

/** Of a container whose requests are watched, the moments of its waits, to find requests for; those for work are left out. */
export function timedWaitsOf(waits: ContainerWaits, context: TimedWaitContext): readonly TimedSample[] {
  const moments = [...waits.container.windowTargets].flatMap((target) => context.moments.get(target) ?? []);
  return timedSamples(moments, 'waited', (row) => {
    const { frames, reason } = namedWait(row, waits, context);
    return reason === 'idle' ? undefined : withReason(reason, frames);
  });
}

function namedWait(row: SampleRow, { container }: ContainerWaits, { names, addresses }: WaitContext) {
  const { pid, user } = row;
  const process = container.processes.get(pid);
  const frames = names.stackOf({ target: row.target, pid, count: 1, kernel: NOTHING, user }, process);
  const text = frames.map(({ name }) => name);
  return { frames, names: text, reason: waitReason(waitedFor(row, addresses), text) };
}

const withReason = (reason: WaitReason, frames: readonly NamedFrame[]): readonly NamedFrame[] => [
  { name: waitFrame(reason), place: NOWHERE },
  ...frames,
];

function waitedFor(row: SampleRow, addresses: BigUint64Array) {
  const frame = frameOf(addresses[row.kernel[0] ?? 0] ?? 0n);
  return frame.kind === 'wait' ? frame.wait : 'other';
}

/** One of a call and its caller: as it was waited longest. */
function addBlocked(
  known: Map<string, BlockedCall & { longestNs: number }>,
  reason: WaitReason,
  names: readonly string[],
  ns: number,
): void {
  const blocking = blockingOnDefault(reason, names);
  if (!blocking) return;
  const key = blockedCallKey({ ...blocking, reason });
  const before = known.get(key);
  const isLonger = ns > (before?.longestNs ?? 0);
  const stack = isLonger ? names.slice(0, LONGEST_BLOCKED_STACK) : (before?.stack ?? []);
  const longestNs = Math.max(ns, before?.longestNs ?? 0);
  known.set(key, { ...blocking, reason, ns: ns + (before?.ns ?? 0), stack, longestNs });
}

function worstOf(calls: readonly (BlockedCall & { longestNs: number })[]): readonly BlockedCall[] {
  return calls
    .filter(({ ns }) => ns >= LEAST_BLOCKED_NS)
    .toSorted((a, b) => b.ns - a.ns)
    .slice(0, MOST_BLOCKED)
    .map(({ longestNs: _, ...call }) => call);
}

function totalsOf(targets: readonly WaitTarget[]): WaitingWindow['totals'] {
  return WAIT_KINDS.flatMap((kind) => {
    const waits = targets.reduce((sum, { totals }) => sum + totals[kind].waits, 0);
    const ns = targets.reduce((sum, { totals }) => sum + totals[kind].ns, 0);
    return ns === 0 ? [] : [{ waitedFor: kind, waits, ns }];
  });
}
