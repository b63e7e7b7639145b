/**
 * What unchanged pods show: how far apart they are, how bursty each is, and how they change with age.
 * Pure; the numbers a verdict's null hypothesis has to allow for. Shares are of a pod's own samples.
 */
import { functionCounts } from '../profile/function-counts.ts';
import type { RecordedWindow } from '../wire/window-lines.ts';

export interface FunctionNoise {
  readonly name: string;
  /** Mean share with callees, 0…1. */
  readonly share: number;
  /** Standard deviation between pods, as a part of the share, with sampling noise taken out. */
  readonly podSd: number;
  /** Variance within a pod over that of independent samples, by seconds of a block; undefined: too few blocks. */
  readonly overdispersion: ReadonlyMap<number, number>;
}

export interface AgeDistance {
  /** Minutes since the container started: from (inclusive) and to. */
  readonly fromMinutes: number;
  readonly toMinutes: number;
  readonly samples: number;
  /** Half the sum of all functions' absolute differences in self share from the oldest part: 0 same, 1 disjoint. */
  readonly distance: number;
  /** The same distance two samples of one distribution would show. */
  readonly byChance: number;
}

export interface Noise {
  readonly jdk: string;
  readonly container: string;
  readonly pods: number;
  readonly podHours: number;
  readonly samples: number;
  readonly functions: readonly FunctionNoise[];
  readonly ages: readonly AgeDistance[];
}

export const BLOCK_SECONDS = [120, 600] as const;
const MIN_SHARE = 0.01; // below one per cent a function has too few samples per block to say anything
const MIN_BLOCKS = 3;
const WARM_UP_MS = 120_000; // a gate leaves these windows out, so they are no noise of its
const AGE_EDGES_MINUTES = [0, 1, 2, 3, 5, 10, 20, 30, 45, 60, 120, 1_440];
const MINUTE_MS = 60_000;

interface Tally {
  samples: number;
  readonly self: Map<string, number>;
  readonly total: Map<string, number>;
}

/** One result for each JDK and container; windows may come in any order. */
export function measureNoise(windows: readonly RecordedWindow[]): Noise[] {
  const groups = Map.groupBy(windows, ({ meta }) => `${meta.container}\0${meta.jdk}`);
  return [...groups.values()]
    .map(noiseOf)
    .sort((a, b) => (`${a.container} ${a.jdk}` < `${b.container} ${b.jdk}` ? -1 : 1));
}

function noiseOf(windows: readonly RecordedWindow[]): Noise {
  const { container = '', jdk = '' } = windows[0]?.meta ?? {};
  const warm = windows.filter(({ meta }) => meta.startMs >= meta.startedAtMs + WARM_UP_MS);
  const pods = [...Map.groupBy(warm, ({ meta }) => meta.podUid).values()];
  const tallies = pods.map(tallyOf);
  const all = tallyOf(warm);
  const names = [...all.total].filter(([, count]) => count >= MIN_SHARE * all.samples).map(([name]) => name);
  const blocks = new Map(
    BLOCK_SECONDS.map((seconds) => [seconds, pods.map((pod) => blocksOf(pod, seconds))]),
  );
  return {
    jdk,
    container,
    pods: pods.length,
    podHours: warm.reduce((sum, { meta }) => sum + meta.endMs - meta.startMs, 0) / (60 * MINUTE_MS),
    samples: all.samples,
    functions: names
      .map((name) => functionNoise(name, all, tallies, blocks))
      .sort((a, b) => b.share - a.share || (a.name < b.name ? -1 : 1)),
    ages: ageDistances(windows),
  };
}

function tallyOf(windows: readonly RecordedWindow[]): Tally {
  const tally: Tally = { samples: 0, self: new Map(), total: new Map() };
  for (const { stacks } of windows) {
    for (const { count } of stacks) {
      tally.samples += count;
    }
    for (const [name, { self, total }] of functionCounts(stacks)) {
      tally.self.set(name, (tally.self.get(name) ?? 0) + self);
      tally.total.set(name, (tally.total.get(name) ?? 0) + total);
    }
  }
  return tally;
}

function blocksOf(windows: readonly RecordedWindow[], seconds: number): Tally[] {
  const byBlock = Map.groupBy(windows, ({ meta }) => Math.floor(meta.startMs / (seconds * 1_000)));
  // The first and the last block are cut by the recording's ends.
  return [...byBlock]
    .sort(([a], [b]) => a - b)
    .slice(1, -1)
    .map(([, ofBlock]) => tallyOf(ofBlock));
}

function functionNoise(
  name: string,
  all: Tally,
  pods: readonly Tally[],
  blocks: ReadonlyMap<number, readonly (readonly Tally[])[]>,
): FunctionNoise {
  const overdispersion = new Map<number, number>();
  for (const [seconds, ofPods] of blocks) {
    const phi = overdispersionOf(name, ofPods);
    if (phi !== undefined) {
      overdispersion.set(seconds, phi);
    }
  }
  const longest = overdispersion.get(600) ?? overdispersion.get(120) ?? 1;
  const share = (all.total.get(name) ?? 0) / Math.max(1, all.samples);
  return { name, share, podSd: podSdOf(name, pods, longest), overdispersion };
}

/** Pearson's chi² of the blocks against their own pod's share, over its degrees of freedom. */
function overdispersionOf(name: string, pods: readonly (readonly Tally[])[]): number | undefined {
  let chiSquare = 0;
  let degreesOfFreedom = 0;
  for (const blocks of pods) {
    const samples = sum(blocks.map((block) => block.samples));
    const share = sum(blocks.map((block) => block.total.get(name) ?? 0)) / Math.max(1, samples);
    if (blocks.length < MIN_BLOCKS || share <= 0 || share >= 1) {
      continue;
    }
    for (const block of blocks.filter((one) => one.samples > 0)) {
      const expected = block.samples * share;
      chiSquare += ((block.total.get(name) ?? 0) - expected) ** 2 / (expected * (1 - share));
    }
    degreesOfFreedom += blocks.length - 1;
  }
  return degreesOfFreedom === 0 ? undefined : chiSquare / degreesOfFreedom;
}

/** Variance of the pods' shares less what sampling, with its over-dispersion, explains; never below 0. */
function podSdOf(name: string, pods: readonly Tally[], overdispersion: number): number {
  const sampled = pods.filter(({ samples }) => samples > 0);
  const shares = sampled.map((pod) => (pod.total.get(name) ?? 0) / pod.samples);
  const mean = sum(shares) / Math.max(1, shares.length);
  if (shares.length < 2 || mean === 0) {
    return 0;
  }
  const variance = sum(shares.map((share) => (share - mean) ** 2)) / (shares.length - 1);
  const bySampling =
    sum(sampled.map(({ samples }) => (overdispersion * mean * (1 - mean)) / samples)) / sampled.length;
  return Math.sqrt(Math.max(0, variance - bySampling)) / mean;
}

function ageDistances(windows: readonly RecordedWindow[]): AgeDistance[] {
  const parts = AGE_EDGES_MINUTES.slice(0, -1).flatMap((fromMinutes, i) => {
    const toMinutes = AGE_EDGES_MINUTES[i + 1] ?? fromMinutes;
    const tally = tallyOf(windows.filter(({ meta }) => isAged(meta, fromMinutes, toMinutes)));
    return tally.samples === 0 ? [] : [{ fromMinutes, toMinutes, tally }];
  });
  const oldest = oldestPart(windows, parts);
  return parts
    .filter(({ toMinutes }) => oldest !== undefined && toMinutes <= oldest.fromMinutes)
    .map(({ fromMinutes, toMinutes, tally }) => ({
      fromMinutes,
      toMinutes,
      samples: tally.samples,
      ...(oldest === undefined ? { distance: 0, byChance: 0 } : distanceOf(tally, oldest.tally)),
    }));
}

interface AgePart {
  readonly fromMinutes: number;
  readonly toMinutes: number;
  readonly tally: Tally;
}

const OLDEST_PART = 0.2; // of all samples; with a handful of windows to compare with, everything is far from everything

/** The last ages that hold a fifth of the samples together. */
function oldestPart(
  windows: readonly RecordedWindow[],
  parts: readonly AgePart[],
): Omit<AgePart, 'toMinutes'> | undefined {
  const wanted = OLDEST_PART * sum(parts.map(({ tally }) => tally.samples));
  let held = 0;
  const first = parts.findLast(({ tally }) => {
    held += tally.samples;
    return held >= wanted;
  });
  if (first === undefined) return undefined;
  const { fromMinutes } = first;
  return { fromMinutes, tally: tallyOf(windows.filter(({ meta }) => isAged(meta, fromMinutes, Infinity))) };
}

function isAged(meta: RecordedWindow['meta'], fromMinutes: number, toMinutes: number): boolean {
  const ageMinutes = (meta.startMs - meta.startedAtMs) / MINUTE_MS;
  return ageMinutes >= fromMinutes && ageMinutes < toMinutes;
}

/**
 * By chance: E|X| of a normal with the difference's variance is sd · √(2/π); here for each function, then summed. For a rare
 * function that is too much: what both arms have of it can differ by no more than twice its share.
 */
function distanceOf(a: Tally, b: Tally): { distance: number; byChance: number } {
  let distance = 0;
  let byChance = 0;
  for (const name of new Set([...a.self.keys(), ...b.self.keys()])) {
    const inA = a.self.get(name) ?? 0;
    const inB = b.self.get(name) ?? 0;
    const pooled = (inA + inB) / (a.samples + b.samples);
    distance += Math.abs(inA / a.samples - inB / b.samples) / 2;
    const spread = Math.sqrt((2 / Math.PI) * pooled * (1 - pooled) * (1 / a.samples + 1 / b.samples)) / 2;
    byChance += Math.min(spread, pooled);
  }
  return { distance, byChance };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
