/**
 * What judging costs. CPU: a thousand windows of five thousand stacks each, at once. Memory: an hour of fifty pods out of a
 * store, looked at every ten seconds as the controller does. Each in a process of its own.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type JudgedEvaluation,
  runningEvaluations,
} from '../../src/controller/regression-gate/running-evaluations.ts';
import { judgeCpu } from '../../src/detect/judge-cpu.ts';
import type { PodWindow } from '../../src/detect/pod-window.ts';
import { SharedStacks } from '../../src/profile/shared-stacks.ts';
import { openStore } from '../../src/store/window-store.ts';
import { DeepService, deepWindow, WINDOW_MS, zipf } from './deep-service.ts';
import { fillStore, HOUR, STARTED_AT_MS } from './hour-of-pods.ts';
import { chanceOf } from './random.ts';

export interface JudgeCost {
  /** CPU of judging 1,000 windows (ten pods an arm, 50 windows of 10 s each) of 5,000 stacks, every look of them. */
  readonly judgeMs: number;
  /** What a process that had loaded everything grew by at the most, over an hour of 50 pods. */
  readonly rssMb: number;
  /** CPU of that hour: reading its 18,000 windows, and 360 looks. */
  readonly hourMs: number;
}

const SETTINGS = { functionMargin: 0.005, falseFailureRate: 0.01, warmUpMs: 0 };
const MB = 2 ** 20;
// As config/controller runs it.
const CONTROLLER = ['--max-semi-space-size=4', '--max-old-space-size=160'];

export function measureJudging(): JudgeCost {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-judging-'));
  const store = join(directory, 'windows.db');
  const measured = (what: string, options: readonly string[] = []): number[] =>
    execFileSync(process.execPath, [...options, fileURLToPath(import.meta.url), what, store], {
      encoding: 'utf8',
    })
      .trim()
      .split(' ')
      .map(Number);
  try {
    const [judgeMs = Number.NaN] = measured('cpu', ['--expose-gc']);
    measured('fill');
    const [rssMb = Number.NaN, hourMs = Number.NaN] = measured('hour', CONTROLLER);
    return { judgeMs, rssMb, hourMs };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const PODS = 10;
const WINDOWS = 50;
const STACKS = 5_000;
const SAMPLES = 30_000;
const SEEN_BY_A_POD = 0.8; // of the stacks there are
const LATER = 0.2; // of them: those that come up after the first window

/** Windows of one pod: most of the service's stacks in an order of its own, and those that have come up by then. */
function windowsOf(pod: string, service: DeepService, chance: ReturnType<typeof chanceOf>): PodWindow[] {
  const own = service.stacks
    .map((stack, rank) => ({
      stack,
      mean: SAMPLES * zipf(rank) * 0.1,
      order: chance.even(),
      since: sinceOf(rank),
    }))
    .sort((a, b) => a.order - b.order);
  return Array.from({ length: WINDOWS }, (_, at) => {
    const present = own.filter(({ since }) => since <= at).slice(0, STACKS);
    const counts = Uint32Array.from(present, ({ mean }) => 1 + chance.poisson(mean));
    const stacks = present.map(({ stack }) => stack);
    return deepWindow(pod, at, new SharedStacks(service, stacks, counts));
  });
}

/** The window in which a stack comes up. */
const sinceOf = (rank: number): number => (rank % 5 === 4 ? (rank * 13) % WINDOWS : 0);

function cpuOfJudging(): number {
  const chance = chanceOf(1, 1);
  const service = new DeepService(STACKS / SEEN_BY_A_POD / (1 - LATER), chance);
  const arm = (name: string): PodWindow[] =>
    Array.from({ length: PODS }, (_, pod) => windowsOf(`${name}-${pod}`, service, chance)).flat();
  const nowMs = WINDOWS * WINDOW_MS;
  const input = { baseline: arm('baseline'), canary: arm('canary'), startedAtMs: 0, nowMs };
  const settings = { ...SETTINGS, minDurationMs: nowMs, deadlineMs: nowMs };
  globalThis.gc?.(); // what simulating left is not judging's
  const before = process.cpuUsage();
  judgeCpu({ ...input, settings });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Says the most the process grew by in MB, and its CPU in ms. */
async function hourOfJudging(path: string): Promise<string> {
  const store = openStore(path, { now: () => STARTED_AT_MS });
  const loaded = process.memoryUsage().rss;
  const before = process.cpuUsage();
  const evaluations = runningEvaluations(store);
  const deadlineMs = HOUR.windows * WINDOW_MS;
  const settings = { ...SETTINGS, minDurationMs: deadlineMs, deadlineMs };
  const evaluation: Omit<JudgedEvaluation, 'nowMs'> = {
    ...{ uid: 'report-1', pods: HOUR.pods, settings, startedAtMs: STARTED_AT_MS },
  };
  for (let elapsedMs = WINDOW_MS; elapsedMs <= deadlineMs; elapsedMs += WINDOW_MS) {
    await evaluations.judge('shop/orders', { ...evaluation, nowMs: STARTED_AT_MS + elapsedMs });
  }
  const { user, system } = process.cpuUsage(before);
  const peak = process.resourceUsage().maxRSS * 1024;
  store.close();
  return `${(peak - loaded) / MB} ${(user + system) / 1_000}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , what, path = ''] = process.argv;
  if (what === 'cpu') console.log(cpuOfJudging());
  else if (what === 'fill') fillStore(path);
  else if (what === 'hour') console.log(await hourOfJudging(path));
  else console.log(JSON.stringify(measureJudging()));
}
