/** For tests: a JVM running Shapes.java or Generations.java, sampled and unwound by the addon, its stacks in words. */
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { javaFrame } from '../../jvm/java-frame.ts';
import { hotspotOf, type Release, startJvm, type TestJvm } from '../../jvm/testing/a-jvm.ts';
import type { ExcludedBytes } from '../../jvm/unsigned5.ts';
import { flatUnwindLayout, type UnwindLayout } from '../../jvm/unwind-layout.ts';
import type { NativeMethod } from '../addon.ts';
import { type Frame, frameOf } from '../frame-word.ts';
import type { SampleBatch } from '../sample-batch.ts';
import type { Sampler } from '../sampler.ts';
import { aSampler, eventually } from '../sampler-fixture.ts';
import { javaClassPath } from './java-classes.ts';

export type Shape =
  | 'inlined'
  | 'recursive'
  | 'bottomless'
  | 'collections'
  | 'natives'
  | 'systemCalls'
  | 'blindly'
  | 'virtuals'
  | 'parked'
  | 'waiting';

export interface Stack {
  readonly count: number;
  /** Leaf first, in words: `Shapes.inner:14 inlined`, `[call_stub]`, `0x7f…`, `<stackCut>`. */
  readonly frames: readonly string[];
  readonly kernelFrames: number;
}

export interface UnwoundJvm extends TestJvm {
  readonly sampler: Sampler;
  readonly layout: UnwindLayout;
  /** What is sampled while the JVM burns so much CPU. */
  profile(cpuSeconds: number): Promise<readonly Stack[]>;
}

/** C1's code is of the same shape whatever ran before; here each method has its own. */
const ONE_SHAPE = [
  ...['-XX:TieredStopAtLevel=1', '-XX:CompileCommand=quiet', '-XX:CompileCommand=dontinline,Generations*::*'],
  '-XX:+UseSerialGC',
];
const BLIND_LIBRARY = fileURLToPath(new URL('../../../build/blind-library.so', import.meta.url));

export async function anUnwoundJvm(
  t: TestContext,
  release: Release,
  shapes: readonly Shape[],
  flags: readonly string[] = [],
): Promise<UnwoundJvm> {
  return unwound(t, await startShapes(t, release, shapes, flags));
}

export async function aGenerationsJvm(t: TestContext, release: Release): Promise<UnwoundJvm> {
  const classPath = javaClassPath('Generations.java');
  return unwound(t, await startOne(t, release, [...ONE_SHAPE, '-cp', classPath, 'Generations']));
}

function unwound(t: TestContext, jvm: TestJvm): UnwoundJvm {
  const { layout } = hotspotOf(jvm);
  const sampler = aSampler(t, { filter: 'pid', frequencyHz: 199, ringBytes: 1 << 23, measure: true });
  sampler.addProcess({ pid: jvm.pid, layout: flatUnwindLayout(layout) });
  const names = stackNames(layout);
  return {
    ...jvm,
    sampler,
    layout,
    async profile(cpuSeconds) {
      sampler.addTarget(BigInt(jvm.pid));
      const before = processCpuSeconds(jvm.pid);
      await eventually('it has had the CPU', () => processCpuSeconds(jvm.pid) - before > cpuSeconds);
      sampler.removeTarget(BigInt(jvm.pid));
      return names.stacksOf(sampler.take());
    },
  };
}

export function startShapes(
  t: TestContext,
  release: Release,
  shapes: readonly Shape[],
  flags: readonly string[] = [],
): Promise<TestJvm> {
  return startOne(t, release, [...flags, ...shapesArgv(shapes)]);
}

async function startOne(t: TestContext, release: Release, argv: readonly string[]): Promise<TestJvm> {
  const jvm = await startJvm(release, argv);
  t.after(() => jvm[Symbol.asyncDispose]());
  return jvm;
}

/** What makes a JVM run them. */
export function shapesArgv(shapes: readonly Shape[]): readonly string[] {
  return [`-Dblind.library=${BLIND_LIBRARY}`, '-cp', javaClassPath('Shapes.java'), 'Shapes', ...shapes];
}

/** Of all threads: utime and stime, in hundredths of a second. */
export function processCpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Keeps what numbers stand for, since each is told once. */
function stackNames(layout: UnwindLayout) {
  const methods = new Map<number, NativeMethod>();
  const stubs = new Map<number, string>();
  const excluded: ExcludedBytes = layout.get('unsigned5_excluded') === 1n ? 1 : 0;
  const wordsOf = (frame: Frame): string => {
    switch (frame.kind) {
      case 'address':
        return `0x${frame.address.toString(16)}`;
      case 'stub':
        return `[${stubs.get(frame.nameId) ?? '?'}]`;
      case 'mark':
        return `<${frame.mark}>`;
      case 'wait':
        return `<${frame.wait}>`;
      case 'suspended':
        return `~${frame.classId}`;
      case 'java': {
        const method = methods.get(frame.methodId);
        if (!method) return 'unknown method';
        const { name, line } = javaFrame(method, frame.bci ?? 0xffff, excluded);
        const how = frame.isInterpreted ? ' interpreted' : frame.isInlined ? ' inlined' : '';
        return `${name}:${line ?? '?'}${how}${frame.isSafepointPlace ? ' ~' : ''}`;
      }
    }
  };
  return {
    stacksOf(batch: SampleBatch): readonly Stack[] {
      for (const method of batch.methods) methods.set(method.id, method);
      for (const { id, name } of batch.names) stubs.set(id, name);
      return batch.rows.map((row) => ({
        count: row.count,
        frames: Array.from(row.user, (index) => wordsOf(frameOf(batch.addresses[index] ?? 0n))),
        kernelFrames: row.kernel.length,
      }));
    },
  };
}
