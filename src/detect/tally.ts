import type { ArmWindows } from './looks.ts';
import type { PodWindow } from './pod-window.ts';
import type { StackIndex } from './stack-index.ts';

/** What one pod has shown so far. */
export interface PodTally {
  /** Samples per node; shorter than its arm's when the pod was last seen before the newest functions were. */
  counts: Float64Array;
  /** Samples of stacks with a function in them. */
  samples: number;
  /** Blocks (the windows between two looks) with samples. */
  blocks: number;
}

/** What one arm has shown so far. The arrays have room for more than the index knows; the rest is 0. */
export interface ArmTally {
  readonly pods: Map<string, PodTally>;
  /** Samples per node over all pods. */
  counts: Float64Array;
  /** Samples per distinct stack over all pods. */
  stackCounts: Float64Array;
  /** Σ x²/n per node over pods and blocks. */
  blockSquares: Float64Array;
  /** The same over blocks alone, of all pods together: what was common to them at a time. */
  timeSquares: Float64Array;
  /** Blocks with samples. */
  blocks: number;
  /**
   * Samples of stacks with a function in them: the whole that shares are shares of. A stack of nothing but native,
   * interpreted or kernel frames is the JIT, the collector or a young JVM at work. A canary is younger than its
   * baseline, so these would make every function of the older arm look larger.
   */
  samples: number;
  /** Samples of all stacks. */
  allSamples: number;
  samplesTaken: number;
  samplesLost: number;
}

export interface Arms {
  readonly canary: ArmTally;
  readonly baseline: ArmTally;
}

export function createArmTally(): ArmTally {
  return {
    pods: new Map(),
    counts: new Float64Array(0),
    stackCounts: new Float64Array(0),
    blockSquares: new Float64Array(0),
    timeSquares: new Float64Array(0),
    blocks: 0,
    samples: 0,
    allSamples: 0,
    samplesTaken: 0,
    samplesLost: 0,
  };
}

/** Adds a block to both arms and leaves them of one size. */
export function addBlock(arms: Arms, block: ArmWindows, index: StackIndex): void {
  indexStacks(block.baseline, index);
  indexStacks(block.canary, index);
  addWindows(arms.baseline, block.baseline, index);
  addWindows(arms.canary, block.canary, index);
}

// Before anything is counted: then the arrays need to grow once, and the baseline's stacks come first in the order.
function indexStacks(windows: readonly PodWindow[], index: StackIndex): void {
  for (const { stacks } of windows) for (const { frames } of stacks) index.of(frames);
}

/** Sums only, so the order of the windows does not matter. */
function addWindows(arm: ArmTally, windows: readonly PodWindow[], index: StackIndex): void {
  makeRoom(arm, index);
  const block = new Float64Array(arm.counts.length);
  const together = { counts: new Float64Array(arm.counts.length), samples: 0 };
  for (const [pod, ofPod] of Map.groupBy(windows, (window) => window.pod)) {
    block.fill(0);
    const samples = countSamples(arm, ofPod, index, block);
    if (samples === 0) continue;
    const tally = arm.pods.get(pod) ?? { counts: new Float64Array(0), samples: 0, blocks: 0 };
    arm.pods.set(pod, tally);
    tally.samples += samples;
    tally.blocks += 1;
    together.samples += samples;
    addCounts(arm, tally, block, samples);
    block.forEach((count, node) => {
      if (count > 0) together.counts[node] = (together.counts[node] ?? 0) + count;
    });
  }
  if (together.samples === 0) return;
  arm.samples += together.samples;
  arm.blocks += 1;
  together.counts.forEach((count, node) => {
    if (count > 0) arm.timeSquares[node] = (arm.timeSquares[node] ?? 0) + (count * count) / together.samples;
  });
}

function makeRoom(arm: ArmTally, index: StackIndex): void {
  const nodes = index.functions.length * 2;
  arm.counts = grown(arm.counts, nodes);
  arm.blockSquares = grown(arm.blockSquares, nodes);
  arm.timeSquares = grown(arm.timeSquares, nodes);
  arm.stackCounts = grown(arm.stackCounts, index.stacks.length);
}

const LEAST_ROOM = 256;

/** The array itself while it is large enough, else a copy of twice the size or more. A power of two: equal for both arms. */
function grown(array: Float64Array, needed: number): Float64Array {
  if (array.length >= needed && array.length > 0) return array;
  let size = Math.max(LEAST_ROOM, array.length);
  while (size < needed) size *= 2;
  const larger = new Float64Array(size);
  larger.set(array);
  return larger;
}

function countSamples(
  arm: ArmTally,
  windows: readonly PodWindow[],
  index: StackIndex,
  block: Float64Array,
): number {
  let samples = 0;
  for (const window of windows) {
    arm.samplesTaken += window.samplesTaken;
    arm.samplesLost += window.samplesLost;
    for (const { frames, count } of window.stacks) {
      const stack = index.of(frames);
      arm.allSamples += count;
      if (stack.nodes.length > 0) samples += count;
      arm.stackCounts[stack.id] = (arm.stackCounts[stack.id] ?? 0) + count;
      for (const node of stack.nodes) block[node] = (block[node] ?? 0) + count;
    }
  }
  return samples;
}

function addCounts(arm: ArmTally, pod: PodTally, block: Float64Array, samples: number): void {
  pod.counts = grown(pod.counts, block.length);
  for (let node = 0; node < block.length; node++) {
    const count = block[node] ?? 0;
    if (count === 0) continue;
    pod.counts[node] = (pod.counts[node] ?? 0) + count;
    arm.counts[node] = (arm.counts[node] ?? 0) + count;
    arm.blockSquares[node] = (arm.blockSquares[node] ?? 0) + (count * count) / samples;
  }
}
