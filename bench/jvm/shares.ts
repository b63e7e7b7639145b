/** How much of the stacks was had: pure counting over one span of samples. */
import type { Frame, JavaFrame, Mark } from '../../src/native/frame-word.ts';
import { type FrameNames, lineOf, type Stack } from './stack.ts';

export interface Shares {
  /** Samples with a Java frame, those cut before one, and those that were lost. */
  readonly due: number;
  readonly complete: number;
  readonly lost: number;
  /** Incomplete samples by why; the root is not where threads begin: `otherRoot`. */
  readonly causes: Readonly<Record<string, number>>;
  /** Of Java frames. */
  readonly lineShare: number | null;
  /** Of those Java frames whose method has a line table. */
  readonly lineShareOfTables: number | null;
  /** Of samples with a compiled frame: those that have an inlined one too. */
  readonly inlineShare: number | null;
  readonly framesMedian: number | null;
  readonly framesMax: number;
}

/** Why a stack is not complete; undefined if it is. A mark inside it is none of these: frames go on behind it. */
export function incompleteBy(
  { frames }: Stack,
  names: FrameNames,
): Mark | 'unknown' | 'noFrames' | 'otherRoot' | undefined {
  const root = frames.at(-1);
  if (root === undefined) return 'noFrames';
  if (root.kind === 'mark') return root.mark ?? 'unknown';
  // Every thread of a JVM begins in libc: clone3, or what called main().
  const isThreadEntry = root.kind === 'address' && /libc[.-]/.test(names.fileOf(root.address) ?? '');
  return isThreadEntry ? undefined : 'otherRoot';
}

/** A virtual thread's frames lie above those of its carrier. */
export function isVirtual({ frames }: Stack, names: FrameNames): boolean {
  return frames.some(
    (frame) =>
      (frame.kind === 'java' && names.methodOf(frame)?.holder === 'jdk/internal/vm/Continuation') ||
      (frame.kind === 'mark' && frame.mark === 'frozenFrames'),
  );
}

/** `lost`: samples of the process that never became a stack. */
export function sharesOf(stacks: readonly Stack[], lost: number, names: FrameNames): Shares {
  const causes: Record<string, number> = {};
  const tally = { due: lost, complete: 0, frames: 0, lines: 0, withTable: 0, compiled: 0, inlined: 0 };
  const depths: number[] = [];
  for (const stack of stacks) {
    const java = stack.frames.filter((frame) => frame.kind === 'java');
    const why = incompleteBy(stack, names);
    if (java.length === 0 && why === undefined) continue; // a thread of the JVM itself
    tally.due += stack.count;
    if (why === undefined) tally.complete += stack.count;
    else causes[why] = (causes[why] ?? 0) + stack.count;
    for (const frame of java) {
      tally.frames += stack.count;
      if ((names.methodOf(frame)?.lineTable.length ?? 0) > 0) tally.withTable += stack.count;
      if (lineOf(frame, names) !== undefined) tally.lines += stack.count;
    }
    if (java.some(isCompiled)) tally.compiled += stack.count;
    if (java.some((frame) => frame.isInlined)) tally.inlined += stack.count;
    if (java.length > 0) depths.push(...new Array<number>(stack.count).fill(java.length));
  }
  depths.sort((one, other) => one - other);
  return {
    due: tally.due,
    complete: tally.complete,
    lost,
    causes,
    lineShare: share(tally.lines, tally.frames),
    lineShareOfTables: share(tally.lines, tally.withTable),
    inlineShare: share(tally.inlined, tally.compiled),
    framesMedian: depths[Math.floor(depths.length / 2)] ?? null,
    framesMax: depths.at(-1) ?? 0,
  };
}

/** To four digits; null of nothing. */
export function share(part: number, whole: number): number | null {
  return whole === 0 ? null : Number((part / whole).toFixed(4));
}

const isCompiled = (frame: Frame): frame is JavaFrame => frame.kind === 'java' && !frame.isInterpreted;
