/** Recorded memory, damaged: whatever a process shows, reading it ends soon, and in a value. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { createClassReader } from './class-reader.ts';
import { continuationClass, walkChain } from './coroutine-chain.ts';
import { coroutineName } from './coroutine-name.ts';
import { createHeapReader } from './heap-reader.ts';
import { readHotspot } from './hotspot.ts';
import type { ReadMemory } from './read-memory.ts';
import { hotspotOf } from './testing/a-jvm.ts';
import { openRecording, type Recording } from './testing/recorded-memory.ts';
import { heldContinuations } from './testing/survey.ts';
import { readFlags } from './vm-flags.ts';

const RECORDINGS = ['jdk-17', 'jdk-25-compact'].map((name) =>
  openRecording(fileURLToPath(new URL(`../../test/fixtures/jvm/${name}.memory.br`, import.meta.url))),
);

/** Of the n-th read: which byte of it is damaged, and how. */
type Damage = readonly (readonly [read: number, at: number, byte: number])[];
const aDamage = (reads: number) =>
  fc.array(fc.tuple(fc.nat(reads), fc.nat(100_000), fc.integer({ min: 1, max: 255 })), { maxLength: 30 });

interface Costs {
  reads: number;
  bytes: number;
}

/** Memory that shows something else than it should, and counts what is asked of it. */
function damaged(recording: Recording, damage: Damage): { read: ReadMemory; costs: Costs } {
  const costs = { reads: 0, bytes: 0 };
  const read: ReadMemory = (address, length) => {
    const bytes = recording.read(address, length);
    costs.bytes += bytes ? length : 0;
    const wrong = damage.filter(([number]) => number === costs.reads);
    costs.reads++;
    if (!bytes || wrong.length === 0) return bytes;
    const copy = Uint8Array.from(bytes);
    for (const [, at, byte] of wrong) copy[at % length] = (copy[at % length] ?? 0) ^ byte;
    return copy;
  };
  return { read, costs };
}

test('a layout is read or refused, at a bounded cost', () => {
  fc.assert(
    fc.property(fc.constantFrom(...RECORDINGS), aDamage(25), (recording, damage) => {
      const { read, costs } = damaged(recording, damage);

      const outcome = readHotspot(read, recording.libjvm);
      if (outcome.kind === 'read') readFlags(read, outcome.structs, ['DebugNonSafepoints']);

      assert(costs.reads < 400, `${costs.reads} reads`);
      assert(costs.bytes < 16 * 1024 * 1024, `${costs.bytes} bytes`);
    }),
    { numRuns: 60 },
  );
});

test('memory that is cut anywhere, or unmapped after some reads, is refused', () => {
  for (const recording of RECORDINGS) {
    for (let last = 0; last < 20; last++) {
      let reads = 0;
      const outcome = readHotspot(
        (address, length) => (reads++ < last ? recording.read(address, length) : undefined),
        recording.libjvm,
      );
      assert.equal(
        outcome.kind === 'failed' && outcome.reason,
        outcome.kind === 'failed' && 'MemoryUnreadable',
      );
    }
  }
});

for (const recording of RECORDINGS) {
  const hotspot = hotspotOf(recording);
  const heap = createHeapReader(recording.read, hotspot);
  const classes = createClassReader(recording.read, hotspot);
  assert(heap.kind === 'reader' && classes);
  const starts = heldContinuations(recording.read, hotspot, classes, heap.reader).map(([, object]) => object);

  test('neither chain nor name is believed when a collection ran since the sample', () => {
    const source = {
      heap: heap.reader,
      classAt: (klass: bigint) => continuationClass(classes, klass),
    };
    const now = heap.reader.collections() ?? assert.fail('a collection runs');
    const chains = starts
      .map((start) => walkChain(source, start, now))
      .filter(({ kind }) => kind === 'chain');
    const names = (then: number) =>
      chains.flatMap((chain) =>
        chain.kind === 'chain' ? [coroutineName(heap.reader, classes, chain.root, then)] : [],
      );

    assert(names(now).includes('request'));
    assert.deepEqual(new Set(names(now - 1)), new Set([undefined]));
    assert(starts.every((start) => walkChain(source, start, now - 1).kind === 'none'));
  });

  test('a walk through damaged objects and classes ends', () => {
    fc.assert(
      fc.property(fc.constantFrom(...starts), aDamage(400), (start, damage) => {
        const { read, costs } = damaged(recording, damage);
        const reader = createHeapReader(read, hotspot);
        const damagedClasses = createClassReader(read, hotspot);
        if (reader.kind !== 'reader' || !damagedClasses) return;
        const classAt = (klass: bigint) => continuationClass(damagedClasses, klass);

        walkChain({ heap: reader.reader, classAt }, start, 0);
        coroutineName(reader.reader, damagedClasses, start, 0);

        assert(costs.reads < 30_000, `${costs.reads} reads`);
      }),
      { numRuns: 300 },
    );
  });
}
