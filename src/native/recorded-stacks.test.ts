/**
 * Stacks of real JVMs as BPF copied them, unwound again by the addon's code, and what it makes of them when something is
 * wrong. `make record-jvm` makes the recordings anew; no JVM, no BPF and no privilege is needed here.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RELEASES } from '../jvm/testing/a-jvm.ts';
import { replay, replayText, runOnRecording } from './testing/replayed-stacks.ts';
import { countOf, missingKinds } from './testing/stack-kinds.ts';
import { type Piece, readRecording } from './testing/stack-recording.ts';

const FIXTURES = fileURLToPath(new URL('../../test/fixtures/stacks/', import.meta.url));
const SEED = 20_261_125;
const VARIANTS = 600; // `make fuzz` takes its time

for (const release of RELEASES) {
  const pieces = readRecording(`${FIXTURES}jdk-${release}.stacks.br`);

  test(`JDK ${release}: recorded stacks are still unwound to the same frames`, () => {
    const text = replayText(replay(pieces));

    assertSameStacks(text, readFileSync(`${FIXTURES}jdk-${release}.txt`, 'utf8'));
  });

  test(`JDK ${release}: what earlier stacks have taught changes no frame`, () => {
    const warm = replay(pieces);
    const cold = replay(pieces, 'cold');

    assertSameStacks(replayText(cold), replayText(warm));
  });

  test(`JDK ${release}: what has been forgotten is read again, and changes no frame`, () => {
    assertSameStacks(replayText(replay(pieces, 'forgetful')), replayText(replay(pieces)));
  });

  test(`JDK ${release}: code that came after a stack was copied is not taken for what the stack ran`, () => {
    const framesOf = (circumstance?: Parameters<typeof replay>[1]) =>
      replay(pieces, circumstance).stacks.map(({ frames }) => frames);
    const usual = framesOf();
    const cut = usual.map(withoutReplacedLeaf);

    assert.deepEqual(framesOf('same-code'), usual);
    assert.deepEqual(framesOf('other-code'), cut);
    assert.ok(cut.filter((frames) => frames.at(-1) === '<replacedCode>').length >= 10);
  });

  test(`JDK ${release}: the recording has a stack of each kind, and known shapes have their frames`, () => {
    const { stacks } = replay(pieces);

    assert.deepEqual(missingKinds(stacks, release), []);
    for (const { frames } of stacks.filter(({ frames: [leaf = ''] }) => leaf.startsWith('Shapes.spin:'))) {
      const isWhole = countOf(frames, 'Shapes.recursive') === 1;
      if (isWhole) assert.equal(countOf(frames, 'Shapes.deep'), 41, frames.join('\n'));
    }
  });

  test(`JDK ${release}: whatever is wrong with a stack or a read, unwinding ends, within bounds, and is counted`, (t) => {
    const output = runOnRecording('fuzz-stacks', pieces, [String(SEED), String(VARIANTS), '0']);

    t.diagnostic(output);
    const { variants, tampered, refused, changed, failedReads } = JSON.parse(output);
    assert.equal(variants, VARIANTS);
    assert.equal(tampered, variants - refused);
    assert(changed > 0.1 * variants, 'most variants change nothing');
    assert(failedReads > variants / 4, 'reads hardly fail');
  });
}

test('a read that is not in the recording asks for another recording', () => {
  const pieces = readRecording(`${FIXTURES}jdk-17.stacks.br`);
  const read = pieces.findIndex(({ kind }) => kind === 'memory');

  assert.throws(() => replay(pieces.toSpliced(read, 1)), {
    message: /read of 0x[0-9a-f]+ not in the recording: make record-jvm/,
  });
});

test('a layout with a field more than the recorded one asks for another recording', () => {
  const pieces = readRecording(`${FIXTURES}jdk-17.stacks.br`).map((piece) =>
    piece.kind === 'layout' ? withoutFirstLine(piece) : piece,
  );

  assert.throws(() => replay(pieces), { message: /\(code_cache_heaps\): make record-jvm/ });
});

/** A stack that was interrupted in compiled code ends there. */
function withoutReplacedLeaf(frames: readonly string[]): readonly string[] {
  const leaf = frames.findIndex((frame) => !frame.startsWith('kernel '));
  const isCompiled = /^\w[^[]*:/.test(frames[leaf] ?? '') && !frames[leaf]?.endsWith(' interpreted');
  return isCompiled ? [...frames.slice(0, leaf), '<replacedCode>'] : frames;
}

/** Says of the first one that differs, not of all. */
function assertSameStacks(actual: string, expected: string): void {
  const [actualStacks, expectedStacks] = [actual.split('\n\n'), expected.split('\n\n')];
  for (const [i, stack] of expectedStacks.entries()) assert.equal(actualStacks[i], stack);
  assert.equal(actualStacks.length, expectedStacks.length);
}

function withoutFirstLine({ kind, content }: Piece): Piece {
  return { kind, content: content.subarray(content.indexOf('\n'.charCodeAt(0)) + 1) };
}
