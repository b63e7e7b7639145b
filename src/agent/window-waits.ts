/** Who waited in one window of a container, as the wire wants it. */
import { frameOf, WAIT_KINDS } from '../native/frame-word.ts';
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
import { type Dealt, seenUnless } from './dealt-targets.ts';
import type { SamplerFailure } from './sampler-host.ts';
import type { NamedFrame, WindowNames } from './window-names.ts';

export type ContainerWaits = Dealt<WaitRow, WaitTarget>;

export interface WaitContext {
  readonly names: WindowNames;
  readonly stacks: BatchStacks;
  /** Of the batch the rows are of. */
  readonly addresses: BigUint64Array;
  readonly failure: SamplerFailure | undefined;
}

/** Of a window of ten seconds, a hundredth of one thread: what is blocked for less is no finding. */
const LEAST_BLOCKED_NS = 100_000_000;
const NOTHING = new Uint32Array(0);
const IDLE: readonly NamedFrame[] = [{ name: waitFrame('idle'), place: NOWHERE }];

export function foldWaits(waits: ContainerWaits, context: WaitContext): WaitingWindow {
  const { assigned, processes } = waits.container;
  const reasons = new Map<WaitReason, number>();
  const counts = new Map<number, number>();
  const blocked = new Map<string, BlockedCall & { longestNs: number }>();
  let lostNs = waits.targets.reduce((sum, target) => sum + target.lostNs, 0);
  for (const row of waits.rows) {
    const frames = context.names.stackOf({ ...row, kernel: NOTHING }, processes.get(row.pid));
    const names = frames.map(({ name }) => name);
    const reason = waitReason(waitedFor(row, context.addresses), names);
    reasons.set(reason, (reasons.get(reason) ?? 0) + row.ns);
    addBlocked(blocked, reason, names, row.ns);
    if (!assigned.gated) continue;
    const leaf = { name: waitFrame(reason), place: NOWHERE };
    const stack = context.stacks.add(reason === 'idle' ? IDLE : [leaf, ...frames]);
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

function waitedFor(row: WaitRow, addresses: BigUint64Array) {
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
