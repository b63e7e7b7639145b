/** What judging costs: CPU for a thousand windows at once, memory for an hour of fifty pods. Each in a process of its own. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { advance, judgementOf, openCpuEvaluation } from '../../src/detect/cpu-evaluation.ts';
import { judgeCpu } from '../../src/detect/judge-cpu.ts';
import { LOOK_MS } from '../../src/detect/looks.ts';
import type { PodWindow, StackCount } from '../../src/detect/pod-window.ts';
import { simulatedService } from '../../test/reference/simulated-pods.ts';
import { chanceOf } from './random.ts';

export interface JudgeCost {
  /** CPU of judging 1,000 windows (ten pods an arm, 50 windows of 10 s each) of 5,000 stacks, every look of them. */
  readonly judgeMs: number;
  /** What the process grew by while it judged 25 pods an arm for an hour, a window at a time. */
  readonly rssMb: number;
}

const WINDOW_MS = 10_000;
const STACKS = 5_000;
const SETTINGS = { functionMargin: 0.005, falseFailureRate: 0.01, warmUpMs: 0 };
const MB = 2 ** 20;

export function measureJudging(): JudgeCost {
  const measured = (what: 'cpu' | 'memory'): number =>
    Number(execFileSync(process.execPath, [fileURLToPath(import.meta.url), what], { encoding: 'utf8' }));
  return { judgeMs: measured('cpu'), rssMb: measured('memory') };
}

/** Windows of one pod: its stacks are the same arrays each time, as a store hands them out. */
function windowsOf(pod: string, windows: number, random: ReturnType<typeof chanceOf>): PodWindow[] {
  const paths = SERVICE.map(({ frames, weight }) => ({ frames, mean: weight * SAMPLES }));
  return Array.from({ length: windows }, (_, at) => {
    const stacks: StackCount[] = paths.map(({ frames, mean }) => ({
      frames,
      count: 1 + random.poisson(mean),
    }));
    return {
      ...{ pod, startMs: at * WINDOW_MS, endMs: (at + 1) * WINDOW_MS, podStartedAtMs: -7_200_000 },
      ...{ samplesTaken: 2 * STACKS, samplesLost: 0, hz: 199, cpuUsec: 5_000_000, throttledUsec: 0 },
      ...{ flags: '', stacks },
    };
  });
}

const SAMPLES = 1_000;
const SERVICE = simulatedService(STACKS, 3);

function cpuOfJudging(): number {
  const random = chanceOf(1, 1);
  const arm = (name: string): PodWindow[] =>
    Array.from({ length: 10 }, (_, pod) => windowsOf(`${name}-${pod}`, 50, random)).flat();
  const input = { baseline: arm('baseline'), canary: arm('canary'), startedAtMs: 0, nowMs: 500_000 };
  const settings = { ...SETTINGS, minDurationMs: 500_000, deadlineMs: 500_000 };
  const before = process.cpuUsage();
  judgeCpu({ ...input, settings });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function memoryOfJudging(): number {
  const random = chanceOf(2, 2);
  const deadlineMs = 3_600_000;
  const before = process.memoryUsage().rss;
  const evaluation = openCpuEvaluation({ ...SETTINGS, minDurationMs: deadlineMs, deadlineMs }, 0);
  for (let lookAtMs = LOOK_MS; lookAtMs <= deadlineMs; lookAtMs += LOOK_MS) {
    const arm = (name: string): PodWindow[] =>
      Array.from({ length: 25 }, (_, pod) => windowsOf(`${name}-${pod}`, 1, random)).flat();
    const block = { baseline: arm('baseline'), canary: arm('canary') };
    advance(evaluation, { ...block, lookAtMs, warmUpExcluded: false });
  }
  judgementOf(evaluation, deadlineMs, true);
  return (process.memoryUsage().rss - before) / MB;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(process.argv[2] === 'cpu' ? cpuOfJudging() : memoryOfJudging());
}
