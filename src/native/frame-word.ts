/** Reads the frames that native/frame_word.h writes. */

/** In place of frames that could not be had, in the order of enum Mark. All but the first two end their stack. */
export const MARKS = [
  'frozenFrames',
  'skippedFrames',
  'stackCut',
  'stackEnded',
  'unknownCode',
  'noUnwindRule',
  'badReturn',
  'badFrame',
  'unreadable',
  'noProgress',
  'tooDeep',
  'replacedCode',
] as const;

export type Mark = (typeof MARKS)[number];

/** What a thread did when it gave up its CPU, as the kernel sees it, in the order of enum fg_wait_kind of bpf/offcpu.h. */
export const WAIT_KINDS = [
  'runqueue',
  'futex',
  'sleep',
  'events',
  'poll',
  'socket',
  'file',
  'memory',
  'other',
] as const;

export type WaitKind = (typeof WAIT_KINDS)[number];

export type Frame =
  /** Machine code of a file or, above half of the address space, of the kernel. */
  | { readonly kind: 'address'; readonly address: bigint }
  | JavaFrame
  /** A stub of the JVM, by the number of its name; 0 if there were too many names. */
  | { readonly kind: 'stub'; readonly nameId: number }
  | { readonly kind: 'mark'; readonly mark: Mark | undefined }
  /** In place of what a thread that waits does inside the kernel. */
  | { readonly kind: 'wait'; readonly wait: WaitKind }
  | SuspendedFrame;

/** A caller that waits in the heap, or the coroutine in which such callers end. */
export interface SuspendedFrame {
  readonly kind: 'suspended';
  readonly classId: number;
  /** Of the place it waited in when last seen; undefined where that is not known. */
  readonly label: number | undefined;
  readonly isCoroutine: boolean;
}

export interface JavaFrame {
  readonly kind: 'java';
  /** 0 if the method could not be read. */
  readonly methodId: number;
  /** Undefined where the JVM has no place for the instruction. */
  readonly bci: number | undefined;
  readonly isInlined: boolean;
  readonly isInterpreted: boolean;
  /** Method and place are those of the next safepoint: this code has debug info for safepoints only. */
  readonly isSafepointPlace: boolean;
}

const [JAVA, STUB, MARK, SUSPENDED, WAIT] = [1n, 2n, 3n, 4n, 5n];
const COROUTINE_ROOT = 1;
const UNKNOWN_LABEL = 0xffff;
const [INLINED, INTERPRETED, SAFEPOINT_PLACE] = [1, 2, 4];
const UNKNOWN_BCI = 0xffff;

export function frameOf(word: bigint): Frame {
  const low = Number(word & 0xffff_ffffn);
  switch (word >> 56n) {
    case JAVA:
      return javaFrameOf(word);
    case STUB:
      return { kind: 'stub', nameId: low };
    case MARK:
      return { kind: 'mark', mark: MARKS[low - 1] };
    case SUSPENDED:
      return suspendedFrameOf(word);
    case WAIT:
      return { kind: 'wait', wait: WAIT_KINDS[low] ?? 'other' };
    default:
      return { kind: 'address', address: word };
  }
}

function suspendedFrameOf(word: bigint): SuspendedFrame {
  const label = Number(word & 0xffffn);
  return {
    kind: 'suspended',
    classId: Number((word >> 16n) & 0xffff_ffffn),
    label: label === UNKNOWN_LABEL ? undefined : label,
    isCoroutine: (Number((word >> 52n) & 0xfn) & COROUTINE_ROOT) !== 0,
  };
}

function javaFrameOf(word: bigint): JavaFrame {
  const flags = Number((word >> 52n) & 0xfn);
  const bci = Number(word & 0xffffn);
  return {
    kind: 'java',
    methodId: Number((word >> 16n) & 0xffff_ffffn),
    bci: bci === UNKNOWN_BCI ? undefined : bci,
    isInlined: (flags & INLINED) !== 0,
    isInterpreted: (flags & INTERPRETED) !== 0,
    isSafepointPlace: (flags & SAFEPOINT_PLACE) !== 0,
  };
}
