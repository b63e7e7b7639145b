/** One JVM under the sampler, as the agent would have it: layout from its memory, stacks from the addon. */
import { readFileSync } from 'node:fs';
import { type HotspotOutcome, readHotspot } from '../../src/jvm/hotspot.ts';
import { loadedLibjvm, openMemory } from '../../src/jvm/testing/process-memory.ts';
import { flatUnwindLayout, type UnwindLayout } from '../../src/jvm/unwind-layout.ts';
import type { NativeMethod } from '../../src/native/addon.ts';
import { frameOf } from '../../src/native/frame-word.ts';
import type { SampleBatch } from '../../src/native/sample-batch.ts';
import { openSampler, type Sampler } from '../../src/native/sampler.ts';
import { samplerOptions } from '../../src/native/sampler-fixture.ts';
import { createProcMapsParser } from '../../src/symbols/proc-maps.ts';
import type { FrameNames, Stack } from './stack.ts';

export interface Span {
  readonly stacks: readonly Stack[];
  /** Samples that never became a stack: ring or table full, and all for which there is no user stack. */
  readonly lost: number;
}

export interface WatchedJvm extends Disposable {
  readonly names: FrameNames;
  readonly layout: UnwindLayout;
  /** What was sampled since the last call. */
  take(): Span;
}

const LAYOUT_MS = 20_000; // a JVM that starts on a busy machine has its code cache after a second

export function openBenchSampler(frequencyHz: number): Sampler {
  return openSampler(
    samplerOptions({ filter: 'pid', frequencyHz, ringBytes: 1 << 24, maxStacks: 100_000, measure: true }),
  );
}

/** As soon as the JVM can be read, be it in its first moments. */
export async function watchJvm(sampler: Sampler, pid: number): Promise<WatchedJvm> {
  for (const end = Date.now() + LAYOUT_MS; ; ) {
    const outcome = hotspotOf(pid);
    if (outcome?.kind === 'read') return watch(sampler, pid, outcome.layout);
    if (Date.now() > end) throw new Error(`process ${pid}: ${outcome?.message ?? 'no libjvm'}`);
    await new Promise((wake) => setTimeout(wake, 5));
  }
}

function hotspotOf(pid: number): HotspotOutcome | undefined {
  const libjvm = loadedLibjvm(pid);
  if (!libjvm) return undefined;
  using memory = openMemory(pid);
  return readHotspot(memory.read, libjvm);
}

function watch(sampler: Sampler, pid: number, layout: UnwindLayout): WatchedJvm {
  sampler.addProcess({ pid, layout: flatUnwindLayout(layout) });
  sampler.addTarget(BigInt(pid));
  const names = startNames(pid, layout);
  return {
    names,
    layout,
    take: () => names.spanOf(sampler.take()),
    [Symbol.dispose]() {
      sampler.removeTarget(BigInt(pid));
      sampler.removeProcess(pid);
      sampler.take();
    },
  };
}

/** Keeps what numbers stand for, since each is told once. */
function startNames(pid: number, layout: UnwindLayout) {
  const methods = new Map<number, NativeMethod>();
  const stubs = new Map<number, string>();
  let maps = mapsOf(pid);
  const names: FrameNames = {
    methodOf: ({ methodId }) => methods.get(methodId),
    stubOf: (nameId) => stubs.get(nameId),
    fileOf(address) {
      const region = maps.regionAt(Number(address));
      return region?.kind === 'file' ? region.name : undefined;
    },
    excluded: layout.get('unsigned5_excluded') === 1n ? 1 : 0,
  };
  return {
    ...names,
    spanOf(batch: SampleBatch): Span {
      for (const method of batch.methods) methods.set(method.id, method);
      for (const { id, name } of batch.names) stubs.set(id, name);
      maps = mapsOf(pid);
      const stacks = batch.rows.map(({ count, user }) => ({
        count,
        frames: Array.from(user, (index) => frameOf(batch.addresses[index] ?? 0n)),
      }));
      const lost = batch.targets.reduce((sum, target) => sum + target.lost, 0);
      return { stacks, lost };
    },
  };
}

function mapsOf(pid: number) {
  const parser = createProcMapsParser((bytes) => Buffer.from(bytes).toString());
  parser.feed(readFileSync(`/proc/${pid}/maps`));
  return parser.finish();
}
