import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CpuInput, judgeCpu } from './judge-cpu.ts';
import type { PodWindow } from './pod-window.ts';

type Stacks = Readonly<Record<string, number>>;

const MINUTE_MS = 60_000;
const PLAIN: Stacks = {
  'parse;handle;run': 60,
  'query;handle;run': 50,
  'render;handle;run': 40,
  'log;run': 30,
  '[libjvm.so]': 20,
};
const WITH_HOT: Stacks = { ...PLAIN, 'hot;handle;run': 15 };

const windowsOf = (pod: string, stacks: Stacks, change: Partial<PodWindow> = {}, count = 36): PodWindow[] =>
  Array.from({ length: count }, (_, at) => ({
    pod,
    startMs: at * 10_000,
    endMs: (at + 1) * 10_000,
    podStartedAtMs: -10 * MINUTE_MS,
    samplesTaken: 200,
    samplesLost: 0,
    hz: 199,
    cpuUsec: 1e6,
    throttledUsec: 0,
    flags: '',
    // A fixed ripple stands for chance, so that counts differ from pod to pod and window to window.
    stacks: Object.entries(stacks).map(([text, n], i) => ({
      frames: text.split(';'),
      count: Math.max(0, n + ((at * 7 + i * 5 + pod.length * 3) % 5) - 2),
    })),
    ...change,
  }));

const podsOf = (arm: string, stacks: Stacks, change: Partial<PodWindow> = {}): PodWindow[] =>
  ['a', 'bb', 'ccc'].flatMap((pod) => windowsOf(`${arm}-${pod}`, stacks, change));

type Change = Partial<Omit<CpuInput, 'settings'>> & { readonly settings?: Partial<CpuInput['settings']> };

const judge = (change: Change = {}) =>
  judgeCpu({
    baseline: podsOf('baseline', PLAIN),
    canary: podsOf('canary', PLAIN),
    startedAtMs: 0,
    nowMs: 6 * MINUTE_MS,
    ...change,
    settings: {
      functionMargin: 0.02,
      falseFailureRate: 0.01,
      minDurationMs: 3 * MINUTE_MS,
      deadlineMs: 6 * MINUTE_MS,
      warmUpMs: 0,
      ...change.settings,
    },
  });

test('a canary that costs what the baseline costs is passed after the minimum duration', () => {
  const judgement = judge();

  assert.equal(judgement.verdict, 'Passed', judgement.message);
  assert.equal(judgement.reason, 'NoRegression');
  assert.ok((judgement.decidedAtMs ?? 0) >= 3 * MINUTE_MS);
  assert.deepEqual(judgement.culprits, []);
});

test('a new function over the margin is failed, and named with its stack', () => {
  const judgement = judge({ canary: podsOf('canary', WITH_HOT) });

  assert.equal(judgement.verdict, 'Failed', judgement.message);
  assert.equal(judgement.reason, 'NewHotPath');
  const [first] = judgement.culprits;
  assert.equal(first?.function, 'hot');
  assert.equal(first.kind, 'New');
  assert.equal(first.selfOrTotal, 'self');
  assert.deepEqual(
    first.stack.map(({ name }) => name),
    ['hot', 'handle', 'run'],
  );
  assert.ok(Math.abs(first.deltaShare - 15 / 215) < 0.01);
});

test('lines change no verdict, and say where the culprit stands', () => {
  const lineOf = new Map([
    ['hot', 'Hot.kt:3'],
    ['handle', 'Handle.kt:9'],
  ]);
  const canary = podsOf('canary', WITH_HOT);
  const placed = canary.map((window) => ({
    ...window,
    stacks: [...window.stacks].flatMap(({ frames, count }) => {
      const places = frames.map((name) => lineOf.get(name) ?? '');
      const moved = places.map((place) => place.replace('Hot.kt:3', 'Hot.kt:4'));
      const few = Math.floor(count / 3);
      return [
        { frames, places, count: count - few },
        ...(few > 0 ? [{ frames: [...frames], places: moved, count: few }] : []),
      ];
    }),
  }));

  const plain = judge({ canary });
  const judgement = judge({ canary: placed });

  const [first] = judgement.culprits;
  assert.equal(first?.place, 'Hot.kt:3');
  assert.deepEqual(
    first.stack.map(({ place }) => place),
    ['Hot.kt:3', 'Handle.kt:9', ''],
  );
  const withoutPlaces = (culprits: typeof judgement.culprits) =>
    culprits.map((culprit) => ({ ...culprit, place: '', stack: culprit.stack.map(({ name }) => name) }));
  assert.deepEqual(
    { ...judgement, culprits: withoutPlaces(judgement.culprits) },
    { ...plain, culprits: withoutPlaces(plain.culprits) },
  );
});

test('a function that doubles is failed as grown', () => {
  const judgement = judge({ canary: podsOf('canary', { ...PLAIN, 'log;run': 62 }) });

  assert.equal(judgement.verdict, 'Failed', judgement.message);
  assert.equal(judgement.reason, 'FunctionGrew');
  assert.equal(judgement.culprits[0]?.function, 'log');
  assert.equal(judgement.culprits[0].kind, 'Grown');
});

test('the deepest function that holds the growth is blamed, not the caller that contains it', () => {
  const codec = (n: number): Stacks => ({ ...PLAIN, 'int;encode;write;run': n, 'text;encode;write;run': n });

  const judgement = judge({ baseline: podsOf('b', codec(14)), canary: podsOf('c', codec(30)) });

  assert.equal(judgement.verdict, 'Failed', judgement.message);
  assert.equal(judgement.culprits[0]?.function, 'encode');
  assert.equal(judgement.culprits[0].selfOrTotal, 'total');
});

test('a renamed function is moved cost, not a regression', () => {
  const { 'query;handle;run': query = 0, ...rest } = PLAIN;

  const judgement = judge({ canary: podsOf('canary', { ...rest, 'select;handle;run': query }) });

  assert.notEqual(judgement.verdict, 'Failed', judgement.message);
  assert.equal(judgement.culprits[0]?.function, 'select');
  assert.equal(judgement.culprits[0].kind, 'Moved');
});

test('a replacement that costs far more than what it replaces is failed', () => {
  const { 'log;run': log = 0, ...rest } = PLAIN;

  const judgement = judge({ canary: podsOf('canary', { ...rest, 'newLog;run': log * 2 }) });

  assert.equal(judgement.verdict, 'Failed', judgement.message);
  assert.equal(judgement.culprits[0]?.function, 'newLog');
});

test('an improvement elsewhere does not make the rest look grown', () => {
  const { 'query;handle;run': _, ...rest } = PLAIN;

  const judgement = judge({ canary: podsOf('canary', rest) });

  assert.notEqual(judgement.verdict, 'Failed', judgement.message);
  assert.deepEqual(judgement.culprits, []);
});

test('more work of the JVM and the kernel is reported as groups and blamed on no function', () => {
  const canary = podsOf('canary', { ...PLAIN, '[libjvm.so]': 60, 'do_syscall_64_[k];[libc.so.6]': 12 });

  const judgement = judge({ canary });

  assert.notEqual(judgement.verdict, 'Failed', judgement.message);
  assert.deepEqual(judgement.culprits, []);
  assert.deepEqual(
    judgement.groups.map(({ group }) => group),
    ['[libjvm.so]', '[kernel]'],
  );
});

test('named frames of JIT and GC threads are no candidates', () => {
  const jit = 'Parse::do_call;CompileBroker::compiler_thread_loop';

  const judgement = judge({ canary: podsOf('canary', { ...PLAIN, [jit]: 40 }) });

  assert.notEqual(judgement.verdict, 'Failed', judgement.message);
  assert.ok(judgement.groups.some(({ group }) => group === '[jvm]'));
});

test('a growth that one canary pod carries is not the version’s', () => {
  const canary = [
    ...windowsOf('canary-a', { ...PLAIN, 'hot;handle;run': 60 }),
    ...windowsOf('canary-bb', PLAIN),
    ...windowsOf('canary-ccc', PLAIN),
  ];

  const judgement = judge({ canary });

  assert.equal(judgement.verdict, 'Inconclusive', judgement.message);
});

test('the verdict does not depend on the order of the windows', () => {
  const baseline = podsOf('baseline', PLAIN);
  const canary = podsOf('canary', WITH_HOT);

  const judgement = judge({ baseline: baseline.toReversed(), canary: canary.toReversed() });

  assert.deepEqual(judgement, judge({ baseline, canary }));
});

test('a Failed stays with its look, whatever later windows say', () => {
  const canary = podsOf('canary', WITH_HOT);
  const early = judge({ canary, nowMs: 4 * MINUTE_MS });

  const later = judge({
    canary: canary.map((window) => (window.startMs < 4 * MINUTE_MS ? window : { ...window, stacks: [] })),
  });

  assert.equal(early.verdict, 'Failed');
  assert.deepEqual(later, early);
});

test('before the first look, and before the minimum duration, it is collecting', () => {
  assert.equal(judge({ nowMs: 40_000 }).reason, 'WaitingForLooks');
  assert.equal(judge({ nowMs: 2 * MINUTE_MS }).verdict, 'Collecting');
});

test('an empty arm is inconclusive at the deadline, never passed', () => {
  const judgement = judge({ canary: [] });

  assert.equal(judgement.verdict, 'Inconclusive');
  assert.equal(judgement.reason, 'NoSamples');
  assert.equal(judgement.decidedAtMs, 6 * MINUTE_MS);
});

test('windows without a sample are inconclusive, not a pass', () => {
  const judgement = judge({ canary: podsOf('canary', {}) });

  assert.equal(judgement.verdict, 'Inconclusive');
  assert.equal(judgement.reason, 'NoSamples');
});

test('too few samples for the margin are inconclusive, with how many there were', () => {
  const few = Object.fromEntries(Object.keys(PLAIN).map((stack) => [stack, 2]));

  const judgement = judge({ baseline: podsOf('b', few), canary: podsOf('c', few) });

  assert.equal(judgement.verdict, 'Inconclusive');
  assert.equal(judgement.reason, 'MarginNotReached');
  assert.match(judgement.message, /by 864 and 864 samples of 3 and 3 pods$/);
});

test('lost samples above the limit are inconclusive, even where a growth shows', () => {
  const judgement = judge({ canary: podsOf('canary', WITH_HOT, { samplesLost: 40 }) });

  assert.equal(judgement.verdict, 'Inconclusive');
  assert.equal(judgement.reason, 'TooMuchLoss');
});

test('a single canary pod cannot be told from its version', () => {
  const judgement = judge({ canary: windowsOf('canary-a', WITH_HOT) });

  assert.equal(judgement.verdict, 'Inconclusive');
  assert.equal(judgement.reason, 'TooFewPods');
});

test('windows of pods in their warm-up are left out, on both arms', () => {
  const warming = podsOf('canary', WITH_HOT, { podStartedAtMs: 0 });

  const judgement = judge({ canary: warming, settings: { warmUpMs: 2 * MINUTE_MS } });

  assert.ok(judgement.flags.includes('WarmUpExcluded'));
  assert.equal(judgement.verdict, 'Failed', judgement.message);
  assert.ok((judgement.decidedAtMs ?? 0) > 2 * MINUTE_MS);
});

test('the report says what the verdict rests on', () => {
  const canary = podsOf('canary', PLAIN, { flags: '+DebugNonSafepoints', throttledUsec: 2e5, cpuUsec: 2e6 });

  const judgement = judge({ canary });

  assert.deepEqual(judgement.flags, ['AssumedVariance', 'ProfilingFlagsDiffer', 'Throttled', 'UnequalLoad']);
  assert.deepEqual(judgement.pods, { baseline: 3, canary: 3 });
  assert.equal(judgement.checks[0]?.check, 'cpu.function');
  assert.ok((judgement.detectable ?? 1) < 0.1);
});
