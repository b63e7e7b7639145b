/** How far functions' shares stray between unchanged pods, as `flamegate noise` computes it. */
import { measureNoise } from '../../src/cli/noise.ts';
import type { RecordedPod } from './recorded-pods.ts';

export interface FunctionSpread {
  readonly functions: number;
  readonly samples: number;
  readonly podSdMedian: number;
  readonly podSdP90: number;
  readonly phi120Median: number;
  readonly phi120P90: number;
  readonly phi600Median: number;
  readonly phi600P90: number;
}

/** Null where no pod has samples. */
export function measureFunctionNoise(pods: readonly RecordedPod[]): FunctionSpread | null {
  const windows = pods.flatMap(({ id, jdk, looks }) =>
    [...looks.values()].map((window) => ({
      meta: {
        ...{ node: '', namespace: '', pod: id, podUid: id, container: '', jdk, flags: window.flags },
        ...{ startMs: window.startMs, endMs: window.endMs, startedAtMs: window.podStartedAtMs },
        ...{ hz: window.hz, cpuUsec: window.cpuUsec, throttledUsec: window.throttledUsec },
        ...{ samples: window.samplesTaken, lost: window.samplesLost },
      },
      stacks: [...window.stacks],
    })),
  );
  const [noise] = measureNoise(windows);
  if (noise === undefined || noise.functions.length === 0) return null;
  const sds = noise.functions.map(({ podSd }) => podSd);
  const phis = (seconds: number): number[] =>
    noise.functions.flatMap(({ overdispersion }) => overdispersion.get(seconds) ?? []);
  return {
    functions: noise.functions.length,
    samples: noise.samples,
    podSdMedian: quantileOf(sds, 0.5),
    podSdP90: quantileOf(sds, 0.9),
    phi120Median: quantileOf(phis(120), 0.5),
    phi120P90: quantileOf(phis(120), 0.9),
    phi600Median: quantileOf(phis(600), 0.5),
    phi600P90: quantileOf(phis(600), 0.9),
  };
}

function quantileOf(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
}
