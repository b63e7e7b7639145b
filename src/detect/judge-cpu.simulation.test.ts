import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type SimulatedNoise,
  type SimulatedPath,
  simulatedService,
  simulateRun,
} from '../../test/reference/simulated-pods.ts';
import { judgeCpu } from './judge-cpu.ts';
import type { CpuJudgement } from './verdict.ts';

// Three pods an arm for eight minutes, about 20,000 samples an arm; pods differ by 3 % per function, a tenth of
// the methods is inlined in some pods only, and costs wave by 10 % from window to window.
const NOISE = { podSd: 0.03, lottery: 0.1, waveSd: 0.1 };
const WINDOWS = 48;
const SERVICES = 25;

interface Scenario {
  readonly baseline: readonly SimulatedPath[];
  readonly canary: readonly SimulatedPath[];
}

function judgeRuns(
  runs: number,
  scenarioOf: (service: SimulatedPath[], run: number) => Scenario,
  noise: SimulatedNoise = NOISE,
): CpuJudgement[] {
  return Array.from({ length: runs }, (_, run) => {
    const { baseline, canary } = scenarioOf(simulatedService(150, 1000 + (run % SERVICES)), run);
    const windows = simulateRun({
      baselinePaths: baseline,
      canaryPaths: canary,
      pods: 3,
      windows: WINDOWS,
      samplesPerWindow: 140,
      noise,
      seed: 77 + run,
    });
    const settings = {
      functionMargin: 0.02,
      falseFailureRate: 0.01,
      minDurationMs: 180_000,
      deadlineMs: WINDOWS * 10_000,
      warmUpMs: 0,
    };
    return judgeCpu({ ...windows, settings, startedAtMs: 0, nowMs: WINDOWS * 10_000 });
  });
}

const countOf = (judgements: readonly CpuJudgement[], verdict: string): number =>
  judgements.filter((judgement) => judgement.verdict === verdict).length;

/** A function beside others of the service, deep or shallow, other ones in every run. */
function beside(
  service: readonly SimulatedPath[],
  run: number,
  weights: Readonly<Record<string, number>>,
): SimulatedPath[] {
  const callers = service[(run * 7) % 140]?.frames.slice(1) ?? [];
  return Object.entries(weights).map(([name, weight]) => ({ frames: [name, ...callers], weight }));
}

test('of 200 harmless canaries at most 2 are failed and at least 60 % passed', () => {
  const judgements = judgeRuns(200, (service) => ({ baseline: service, canary: service }));

  const failed = countOf(judgements, 'Failed');
  const passed = countOf(judgements, 'Passed');
  assert.ok(failed <= 2, `${failed} failed`);
  assert.ok(passed >= 120, `${passed} passed`);
});

// Where inlining is a lottery, what a function lost by it may pass for what a new one took: those end undecided.
test('a new function of 5 % is failed and named first in at least 90 % of 60 canaries', () => {
  const judgements = judgeRuns(60, (service, run) => ({
    baseline: service,
    canary: [...service, ...beside(service, run, { 'new.Hot.path': 0.05 })],
  }));

  const named = judgements.filter(
    ({ verdict, culprits }) => verdict === 'Failed' && culprits[0]?.function === 'new.Hot.path',
  );
  assert.ok(named.length >= 54, `${named.length} of 60`);
});

// As recorded on pods of three minutes: four samples in five end in native code, and half of the methods get their name late.
const YOUNG = { ...NOISE, native: 0.8, halfCompiled: 6 };

test('while young JVMs still compile, none of 40 harmless canaries is failed', () => {
  const judgements = judgeRuns(40, (service) => ({ baseline: service, canary: service }), YOUNG);

  assert.equal(countOf(judgements, 'Failed'), 0);
});

test('while young JVMs still compile, a new function of 5 % is failed in 38 of 40 canaries and passed in none', () => {
  const judgements = judgeRuns(
    40,
    (service, run) => ({
      baseline: service,
      canary: [...service, ...beside(service, run, { 'new.Hot.path': 0.05 })],
    }),
    YOUNG,
  );

  assert.equal(countOf(judgements, 'Passed'), 0);
  assert.ok(countOf(judgements, 'Failed') >= 38, `${countOf(judgements, 'Failed')} of 40`);
});

test('a function that grows from 5 % to 10 % is failed in at least 90 % of 40 canaries', () => {
  const judgements = judgeRuns(40, (service, run) => ({
    baseline: [...service, ...beside(service, run, { 'old.Hot.path': 0.053 })],
    canary: [...service, ...beside(service, run, { 'old.Hot.path': 0.11 })],
  }));

  assert.ok(countOf(judgements, 'Failed') >= 36, `${countOf(judgements, 'Failed')} of 40`);
});

test('a codec whose many functions all grow is named itself, not its parts and not its callers', () => {
  const codec = (service: readonly SimulatedPath[], factor: number): SimulatedPath[] =>
    Array.from({ length: 10 }, (_, part) => ({
      frames: [
        `codec.Part${part}.write`,
        'codec.Codec.encode',
        'app.Serialize.call',
        ...(service[5]?.frames.slice(1) ?? []),
      ],
      weight: (0.06 - 0.005 * part) * factor,
    }));

  const judgements = judgeRuns(20, (service) => ({
    baseline: [...service, ...codec(service, 1)],
    canary: [...service, ...codec(service, 1.5)],
  }));

  const named = judgements.filter(
    ({ verdict, culprits }) => verdict === 'Failed' && culprits[0]?.function === 'codec.Codec.encode',
  );
  assert.ok(named.length >= 18, `${named.length} of 20`);
});

test('a rename, and cost that moves across the program, are failed in none of 80 canaries', () => {
  const renamed = judgeRuns(40, (service, run) => {
    const largest = [...service]
      .filter(({ frames }) => frames.length > 3)
      .sort((a, b) => b.weight - a.weight);
    const name = largest[run % 5]?.frames[0];
    const rename = (frame: string): string => (frame === name ? 'renamed.Function' : frame);
    return {
      baseline: service,
      canary: service.map((path) => ({ ...path, frames: path.frames.map(rename) })),
    };
  });
  const moved = judgeRuns(40, (service, run) => ({
    baseline: [...service, ...beside(service, run, { 'old.Place': 0.04 })],
    canary: [...service, ...beside(service, run + 11, { 'new.Place': 0.04 })],
  }));

  assert.equal(countOf([...renamed, ...moved], 'Failed'), 0);
});
