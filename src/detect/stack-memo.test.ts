import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulatedService, simulateRun } from '../../test/reference/simulated-pods.ts';
import { type SharedStack, SharedStacks } from '../profile/shared-stacks.ts';
import { judgeCpu } from './judge-cpu.ts';
import { compilerSamples } from './maturity.ts';
import type { PodWindow } from './pod-window.ts';
import { StackMemo } from './stack-memo.ts';

const DEADLINE_MS = 300_000;
const SETTINGS = { functionMargin: 0.01, falseFailureRate: 0.01, warmUpMs: 0 };

/** As stores do: each stack once, in a numbering that begins anew in the middle of it. */
function sharing() {
  const sources = [new Map<string, SharedStack>(), new Map<string, SharedStack>()] as const;
  return (window: PodWindow): PodWindow => {
    const source = window.startMs < DEADLINE_MS / 2 ? sources[0] : sources[1];
    const counted = [...window.stacks];
    const stacks = counted.map(({ frames, places }) => {
      const key = [...frames, '', ...(places ?? [])].join('\n');
      const known = source.get(key) ?? { frames, places, number: source.size };
      source.set(key, known);
      return known;
    });
    const counts = Uint32Array.from(counted, ({ count }) => count);
    return { ...window, stacks: new SharedStacks(source, stacks, counts) };
  };
}

function somePods() {
  const paths = simulatedService(60, 3);
  const hot = { frames: ['shop.New.path', ...(paths[4]?.frames ?? [])], weight: 0.06 };
  const compiler = { frames: ['Compile::Code [libjvm.so]', '[C2 compiler]'], weight: 0.02 };
  const { baseline, canary } = simulateRun({
    ...{ baselinePaths: [...paths, compiler], canaryPaths: [...paths, hot, compiler] },
    ...{ pods: 3, windows: 30, samplesPerWindow: 400, seed: 5 },
    noise: { podSd: 0.03, lottery: 0.2, waveSd: 0.1 },
  });
  const placed = (window: PodWindow): PodWindow => ({
    ...window,
    stacks: [...window.stacks].map((stack) => ({
      ...stack,
      places: stack.frames.map((name) => `${name}:1`),
    })),
  });
  return { baseline: baseline.map(placed), canary: canary.map(placed) };
}

test('windows that share numbered stacks are judged as those with stacks of their own', () => {
  const { baseline, canary } = somePods();
  const shared = sharing();
  const settings = { ...SETTINGS, minDurationMs: DEADLINE_MS, deadlineMs: DEADLINE_MS };
  const round = { settings, startedAtMs: 0, nowMs: DEADLINE_MS };

  const plain = judgeCpu({ ...round, baseline, canary });
  const numbered = judgeCpu({ ...round, baseline: baseline.map(shared), canary: canary.map(shared) });

  assert.equal(plain.verdict, 'Failed');
  assert.equal(plain.culprits[0]?.place, 'shop.New.path:1');
  assert.deepEqual(numbered, plain);
});

test('samples of compilers are the same of shared stacks', () => {
  const shared = sharing();
  const windows = somePods().canary;

  const samples = windows.map(compilerSamples);

  assert.ok(samples.some((count) => count > 0));
  assert.deepEqual(
    windows.map((window) => compilerSamples(shared(window))),
    samples,
  );
});

test('a stack is worked out once, whatever its number, and anew for another source', () => {
  const worked: string[] = [];
  const memo = new StackMemo(({ frames }) => worked.push(frames[0] ?? '') * 10);
  const stacks = [
    { frames: ['a'], places: undefined, number: 0 },
    { frames: ['b'], places: undefined, number: 70_000 },
  ];
  const [source, another] = [{}, {}];
  const into = new Int32Array(5);

  memo.write(new SharedStacks(source, stacks, Uint32Array.of(1, 2)), into, 1);
  memo.write(new SharedStacks(source, stacks.toReversed(), Uint32Array.of(1, 2)), into, 3);
  assert.deepEqual([...into], [0, 10, 20, 20, 10]);
  assert.equal(memo.sum(new SharedStacks(source, stacks, Uint32Array.of(3, 4))), 3 * 10 + 4 * 20);
  assert.deepEqual(worked, ['a', 'b']);

  memo.write(new SharedStacks(another, stacks.slice(0, 1), Uint32Array.of(1)), into, 0);
  assert.equal(into[0], 30);
});
