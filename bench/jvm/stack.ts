/** A sampled stack as the figures of bench/jvm.ts want it: frames in the JVM's own terms, not yet in words. */
import { javaFrame } from '../../src/jvm/java-frame.ts';
import type { ExcludedBytes } from '../../src/jvm/unsigned5.ts';
import type { NativeMethod } from '../../src/native/addon.ts';
import type { Frame, JavaFrame } from '../../src/native/frame-word.ts';

export interface Stack {
  readonly count: number;
  /** Leaf first. */
  readonly frames: readonly Frame[];
}

/** What the numbers in the frames of one process stand for. */
export interface FrameNames {
  methodOf(frame: JavaFrame): NativeMethod | undefined;
  stubOf(nameId: number): string | undefined;
  /** "[libc.so.6]" for an address of machine code; undefined where no file is mapped. */
  fileOf(address: bigint): string | undefined;
  readonly excluded: ExcludedBytes;
}

export function methodName(frame: JavaFrame, names: FrameNames): string | undefined {
  const method = names.methodOf(frame);
  return method && javaFrame(method, undefined, names.excluded).name;
}

export function lineOf(frame: JavaFrame, names: FrameNames): number | undefined {
  const method = names.methodOf(frame);
  return method && javaFrame(method, frame.bci, names.excluded).line;
}

/** For a person who asks why a stack is what it is. */
export function wordsOf(frame: Frame, names: FrameNames): string {
  switch (frame.kind) {
    case 'address':
      return `${names.fileOf(frame.address) ?? '?'}+0x${frame.address.toString(16)}`;
    case 'stub':
      return `[${names.stubOf(frame.nameId) ?? '?'}]`;
    case 'wait':
      return `<${frame.wait}>`;
    case 'suspended':
      return '<suspended>';
    case 'mark':
      return `<${frame.mark}>`;
    case 'java': {
      const how = frame.isInterpreted ? ' interpreted' : frame.isInlined ? ' inlined' : '';
      return `${methodName(frame, names) ?? '?'}:${lineOf(frame, names) ?? '?'}${how}`;
    }
  }
}
