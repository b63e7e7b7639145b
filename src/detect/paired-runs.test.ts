import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeRuns } from './paired-runs.ts';
import type { ProfiledRun, RunPair } from './run-counts.ts';
import { type Random, seededRandom } from './seeded-random.ts';

const OPTIONS = { margin: 0.02, falseFailures: 0.01, isLast: false };
const FUNCTIONS = 50;
const FRAMES = Array.from({ length: FUNCTIONS }, (_, i) => [
  `lib.Leaf${i}.run`,
  `shop.Part${i % 10}.handle`,
  'shop.Main.serve',
]);
const SLOW = 7;
const SECONDS = 15;

/** How two starts of one build differ. */
interface Noise {
  /** Standard deviations, relative: of each function from start to start, and of the whole machine. */
  readonly start: number;
  readonly machine: number;
  /** A function that is 3 % of all in half of the starts, 1 % in the others: compiled in one of two ways. */
  readonly hasTwoWays: boolean;
  /** What each run is slower than the one before it, in functions of odd number. */
  readonly drift: number;
}

const CALM: Noise = { start: 0.05, machine: 0.03, hasTwoWays: false, drift: 0 };

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Of so many samples on average: Poisson's spread, by the normal distribution (no count below zero). */
const drawn = (expected: number, random: Random): number =>
  Math.max(0, Math.round(expected + Math.sqrt(expected) * normal(random)));

const SAMPLES = 3_000; // of a run
const MOST_ROUNDS = 12;

/** `at`: how many runs there were before; `slower`: what one function takes besides, of the CPU. */
function aRun(random: Random, noise: Noise, { at, slower }: { at: number; slower: number }): ProfiledRun {
  const speed = Math.exp(noise.machine * normal(random));
  const weights = FRAMES.map((_, i) => 1 / (i + 3));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  const stacks = FRAMES.map((frames, i) => {
    const share = (weights[i] ?? 0) / whole;
    const isOdd = i % 2 === 1;
    const strays = Math.exp(noise.start * normal(random) + (isOdd ? noise.drift * at : 0));
    const twoWays = noise.hasTwoWays && i === 4 ? (random() < 0.5 ? 0.01 : 0.03) : 0;
    const own = share * strays + twoWays + (i === SLOW ? slower : 0);
    return { frames, count: drawn(own * SAMPLES * speed, random) };
  });
  return { stacks, seconds: SECONDS };
}

/** Round by round until it is decided, ABBA. */
function compared(random: Random, noise: Noise, slower = 0) {
  const pairs: RunPair[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const [a, b] = round % 2 === 0 ? [2 * round, 2 * round + 1] : [2 * round + 1, 2 * round];
    pairs.push({
      baseline: aRun(random, noise, { at: a, slower: 0 }),
      canary: aRun(random, noise, { at: b, slower }),
    });
    const judged = judgeRuns(pairs, { ...OPTIONS, isLast: round === MOST_ROUNDS - 1 });
    if (judged.verdict !== 'Inconclusive') return judged;
  }
  return judgeRuns(pairs, { ...OPTIONS, isLast: true });
}

test('equal builds fail in one comparison of a hundred at most, power is told', () => {
  const families: readonly (readonly [string, Noise])[] = [
    ['calm', CALM],
    ['starts differ', { ...CALM, start: 0.12 }],
    ['compiled in two ways', { ...CALM, hasTwoWays: true }],
    ['drift', { ...CALM, drift: 0.01, machine: 0.1 }],
  ];
  const n = Number(process.env['COMPARISONS'] ?? 30);
  let failed = 0;
  for (const [k, [name, noise]] of families.entries()) {
    const random = seededRandom(Number(process.env['SEED'] ?? 4_600) + k);
    const equal = Array.from({ length: n }, () => compared(random, noise).verdict);
    const slow = Array.from({ length: n / 2 }, () => compared(random, noise, 0.05));
    const false_ = equal.filter((verdict) => verdict === 'Failed').length;
    const passed = equal.filter((verdict) => verdict === 'Passed').length;
    const found = slow.filter(({ grown }) => grown[0]?.name === 'lib.Leaf7.run').length;
    const wrongly = slow.filter(({ verdict }) => verdict === 'Passed').length;
    const rounds = slow.reduce((sum, each) => sum + each.rounds, 0) / slow.length;
    console.log(
      `${name}: of ${n} equal ${false_} Failed, ${passed} Passed; of ${slow.length} slower by 5 % ${found} Failed by name after ${rounds.toFixed(1)} rounds, ${wrongly} Passed`,
    );
    failed += false_;
    assert.equal(wrongly, 0);
    assert.ok(found >= 0.9 * slow.length, `${name}: ${found} of ${slow.length}`);
  }
  assert.ok(failed <= 6, `${failed} of ${4 * n}`); // 2 are expected at most
});

const run = (counts: Readonly<Record<string, number>>): ProfiledRun => ({
  stacks: Object.entries(counts).map(([stack, count]) => ({ frames: stack.split(';').reverse(), count })),
  seconds: 10,
});
const rounds = (n: number, baseline: ProfiledRun, canary: ProfiledRun): RunPair[] =>
  Array.from({ length: n }, () => ({ baseline, canary }));
const BEFORE = run({ 'a.Main.run;a.Old.work': 4_000, 'a.Main.run;a.Codec.decode;lib.Json.read': 400 });

test('the deepest function that holds the growth is named, with its callers', () => {
  const after = run({ 'a.Main.run;a.Old.work': 4_000, 'a.Main.run;a.Codec.decode;lib.Json.read': 1_400 });
  const { verdict, grown } = judgeRuns(rounds(4, BEFORE, after), OPTIONS);

  assert.equal(verdict, 'Failed');
  assert.deepEqual(
    grown.map(({ name, callers }) => [name, ...callers]),
    [['lib.Json.read', 'a.Codec.decode', 'a.Main.run']],
  );
});

test('what grew as a share only because the rest became cheaper is no regression', () => {
  const after = run({ 'a.Main.run;a.Old.work': 1_000, 'a.Main.run;a.Codec.decode;lib.Json.read': 400 });
  assert.equal(judgeRuns(rounds(6, BEFORE, after), OPTIONS).verdict, 'Inconclusive');
});

test('with too few rounds, or a run without a function, nothing is said', () => {
  const nothing = run({ '[C2 compiler]': 500 });
  assert.equal(judgeRuns([], OPTIONS).verdict, 'Inconclusive');
  assert.equal(judgeRuns(rounds(3, BEFORE, BEFORE), OPTIONS).verdict, 'Inconclusive');
  assert.equal(judgeRuns(rounds(3, BEFORE, BEFORE), OPTIONS).most.growth, 1);
  assert.equal(judgeRuns(rounds(9, BEFORE, nothing), OPTIONS).verdict, 'Inconclusive');
});

test('what was kept of the error passes at the last look what is not clear at one that may be followed', () => {
  const even = run({ 'a.Main.run;a.Left.work': 500, 'a.Main.run;a.Right.work': 500 });
  const judged = (isLast: boolean) => judgeRuns(rounds(8, even, even), { ...OPTIONS, isLast });

  assert.equal(judged(false).verdict, 'Inconclusive');
  assert.equal(judged(true).verdict, 'Passed');
  assert.ok(judged(true).most.growth < 0.6 * judged(false).most.growth);
});
