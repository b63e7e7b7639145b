/** Who waited in one window of a container, for what and by which stack. */
import type { WaitedFor, WaitReason } from './waiting.ts';

export interface WaitingWindow {
  /** Unsupported: waits cannot be seen on this node, and `reason` and `message` say why; else both are empty. */
  readonly state: 'Seen' | 'Unsupported';
  readonly reason: string;
  readonly message: string;
  /** Of each wait only what is beyond this counts. */
  readonly leastMs: number;
  /** All that was waited, counted by the kernel: exact. */
  readonly totals: readonly WaitTotal[];
  /** The same, estimated by looking at it twenty times a second, by what the stacks say. */
  readonly reasons: readonly ReasonTotal[];
  /** Of the estimate what has no stack. */
  readonly lostNs: number;
  readonly blocked: readonly BlockedCall[];
  /** [index into the batch's stacks, nanoseconds] pairs; only for pods under a gate. */
  readonly counts: readonly (readonly [number, number])[];
}

export interface WaitTotal {
  readonly waitedFor: WaitedFor;
  readonly waits: number;
  readonly ns: number;
}

export interface ReasonTotal {
  readonly reason: WaitReason;
  readonly ns: number;
}

/** A call that held up a thread of Dispatchers.Default. */
export interface BlockedCall {
  readonly call: string;
  readonly caller: string;
  readonly reason: WaitReason;
  readonly ns: number;
  /** By which it was waited longest, leaf first. */
  readonly stack: readonly string[];
}

/** Calls of which this is the same are one, in whichever window or pod. */
export const blockedCallKey = ({
  call,
  caller,
  reason,
}: Pick<BlockedCall, 'call' | 'caller' | 'reason'>): string => `${call} ${caller} ${reason}`;

/** Functions that block are few. */
export const MOST_BLOCKED = 8;
export const LONGEST_BLOCKED_STACK = 96;
export const LONGEST_NAME = 1024;
export const LONGEST_REASON = 64;
export const LONGEST_MESSAGE = 256;
