/** What one container read, wrote and synced in one window, and by which functions. */

/** By the system call, and by what its descriptor is of. */
export const IO_KINDS = ['fileRead', 'fileWrite', 'fileSync', 'socketReceive', 'socketSend'] as const;
export type IoKind = (typeof IO_KINDS)[number];

/** Of receives there are no stacks: who waits for a peer may have nothing else to do. */
export const IO_KINDS_WITH_STACKS = ['fileRead', 'fileWrite', 'fileSync', 'socketSend'] as const;
export type IoKindWithStacks = (typeof IO_KINDS_WITH_STACKS)[number];

export interface IoWindow {
  /** Unsupported: it cannot be seen on this node, and `reason` and `message` say why; else both are empty. */
  readonly state: 'Seen' | 'Unsupported';
  readonly reason: string;
  readonly message: string;
  /** Calls that last for this or longer are slow. */
  readonly leastMs: number;
  /** All there was, counted by the kernel: exact. */
  readonly totals: readonly IoTotal[];
  /** Calls that are in no total. */
  readonly unseen: number;
  /** Of slow calls and of syncs what has no stack. */
  readonly lost: { readonly calls: number; readonly ns: number };
  /** Who syncs, and who makes slow calls: the worst. */
  readonly functions: readonly IoFunction[];
  /** [index into the batch's stacks, nanoseconds] pairs of those calls; only for pods under a gate. */
  readonly counts: readonly (readonly [number, number])[];
}

export interface IoTotal {
  readonly kind: IoKind;
  readonly calls: number;
  /** Which are not among the calls. */
  readonly failed: number;
  readonly bytes: number;
  readonly ns: number;
  /** Calls by how long they took; latencyBoundNs() says up to when. */
  readonly latency: readonly number[];
}

/** A function of the service, or of a library, whose calls are slow or sync. */
export interface IoFunction {
  /** What it calls of the platform. */
  readonly call: string;
  readonly caller: string;
  readonly kind: IoKindWithStacks;
  /** Slow ones and, of syncs, all. An estimate where there were more than stacks are taken of. */
  readonly calls: number;
  readonly ns: number;
  /** By which it took longest, leaf first. */
  readonly stack: readonly string[];
}

/** Functions of which this is the same are one, in whichever window or pod. */
export const ioFunctionKey = ({ call, caller, kind }: Pick<IoFunction, 'call' | 'caller' | 'kind'>): string =>
  `${call} ${caller} ${kind}`;

/** FG_IO_BUCKETS of bpf/io.h. */
export const IO_LATENCY_BUCKETS = 24;
const FIRST_BOUND_NS = 1024;

/** A call of this bucket took no longer; infinity for the last. */
export const latencyBoundNs = (bucket: number): number =>
  bucket >= IO_LATENCY_BUCKETS - 1 ? Number.POSITIVE_INFINITY : FIRST_BOUND_NS * 2 ** bucket;

/** The bound of the bucket in which such a share of the calls is passed; 0 without any call. */
export function latencyQuantileNs(latency: readonly number[], share: number): number {
  const calls = latency.reduce((sum, count) => sum + count, 0);
  if (calls === 0) return 0;
  let passed = 0;
  const bucket = latency.findIndex((count) => {
    passed += count;
    return passed >= share * calls;
  });
  return latencyBoundNs(bucket);
}

const WORDS: Readonly<Record<IoKind, string>> = {
  fileRead: '[file read]',
  fileWrite: '[file write]',
  fileSync: '[file sync]',
  socketReceive: '[socket receive]',
  socketSend: '[socket send]',
};

/** The frame that stands for what the kernel did, as a stack's leaf. */
export const ioFrame = (kind: IoKind): string => WORDS[kind];

/** Functions that make slow calls, or many syncs, are few. */
export const MOST_IO_FUNCTIONS = 8;
