import { SharedStacks, type WindowStacks } from '../profile/shared-stacks.ts';
import { addCollector, type CollectorCounts } from './collector-cost.ts';
import type { ArmWindows } from './looks.ts';
import { NodeSums, roomFor } from './node-sums.ts';
import type { PodWindow } from './pod-window.ts';
import type { StackIndex } from './stack-index.ts';

/** What one pod has shown so far. */
export interface PodTally {
  /** Samples per node; shorter than its arm's when the pod was last seen before the newest functions were. */
  counts: Float64Array<ArrayBuffer>;
  /** Samples of stacks with a function in them. */
  samples: number;
  /** Blocks (the windows between two looks) with samples. */
  blocks: number;
}

/** What one arm has shown so far. The arrays have room for more than the index knows; the rest is 0. */
export interface ArmTally {
  readonly pods: Map<string, PodTally>;
  /** Samples per node over all pods. */
  counts: Float64Array<ArrayBuffer>;
  /** Samples per distinct stack over all pods. */
  stackCounts: Float64Array<ArrayBuffer>;
  /** Σ x²/n per node over pods and blocks. */
  blockSquares: Float64Array<ArrayBuffer>;
  /** The same over blocks alone, of all pods together: what was common to them at a time. */
  timeSquares: Float64Array<ArrayBuffer>;
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
  /** Of the JVMs' garbage collectors. */
  readonly collector: CollectorCounts;
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
    collector: new Map(),
  };
}

/** Of each arm's stacks, window after window. */
export type NumberedStacks = Readonly<Record<keyof Arms, Int32Array>>;

/** Adds a block to both arms and leaves them of one size. */
export function addBlock(arms: Arms, block: ArmWindows, index: StackIndex): NumberedStacks {
  // Before anything is counted: then the arrays need to grow once, and the baseline's stacks come first in the order.
  const baseline = numbered(block.baseline, index);
  const canary = numbered(block.canary, index);
  const sums = sumsFor(index);
  addWindows(arms.baseline, block.baseline, { numbers: baseline, sums, index });
  addWindows(arms.canary, block.canary, { numbers: canary, sums, index });
  return { baseline, canary };
}

/** Of each index, for all evaluations that share it: empty between two pods. */
const sumsOfIndex = new WeakMap<StackIndex, NodeSums>();

function sumsFor(index: StackIndex): NodeSums {
  const sums = sumsOfIndex.get(index) ?? new NodeSums();
  sumsOfIndex.set(index, sums);
  sums.makeRoom(index);
  return sums;
}

function numbered(windows: readonly PodWindow[], index: StackIndex): Int32Array {
  const numbers = new Int32Array(windows.reduce((sum, { stacks }) => sum + stacks.length, 0));
  let at = 0;
  for (const { stacks } of windows) {
    index.writeNumbers(stacks, numbers, at);
    at += stacks.length;
  }
  return numbers;
}

interface Numbered {
  readonly numbers: Int32Array;
  readonly sums: NodeSums;
  readonly index: StackIndex;
}

/** Sums only, so the order of the windows does not matter. */
function addWindows(arm: ArmTally, windows: readonly PodWindow[], { numbers, sums, index }: Numbered): void {
  makeRoom(arm, index);
  const together = { counts: new Float64Array(arm.counts.length), samples: 0 };
  for (const [pod, ofPod] of Map.groupBy(withOffsets(windows), ({ window }) => window.pod)) {
    for (const { window, offset } of ofPod) {
      arm.samplesTaken += window.samplesTaken;
      arm.samplesLost += window.samplesLost;
      addStacks(sums, window.stacks, numbers.subarray(offset, offset + window.stacks.length));
    }
    addCollector(arm.collector, pod, sums, index);
    sums.sum(index.paths, index.stacks.length);
    addSums(arm, pod, sums, together);
    sums.clear();
  }
  if (together.samples === 0) return;
  arm.samples += together.samples;
  arm.blocks += 1;
  for (let node = 0; node < together.counts.length; node++) {
    const count = together.counts[node] ?? 0;
    if (count > 0) arm.timeSquares[node] = (arm.timeSquares[node] ?? 0) + (count * count) / together.samples;
  }
}

function addStacks(sums: NodeSums, stacks: WindowStacks, numbers: Int32Array): void {
  if (stacks instanceof SharedStacks) {
    const { counts } = stacks;
    for (let at = 0; at < counts.length; at++) sums.add(numbers[at] ?? 0, counts[at] ?? 0);
    return;
  }
  for (const [at, { count }] of stacks.entries()) sums.add(numbers[at] ?? 0, count);
}

function makeRoom(arm: ArmTally, index: StackIndex): void {
  const nodes = index.functions.length * 2;
  arm.counts = roomFor(arm.counts, nodes);
  arm.blockSquares = roomFor(arm.blockSquares, nodes);
  arm.timeSquares = roomFor(arm.timeSquares, nodes);
  arm.stackCounts = roomFor(arm.stackCounts, index.stacks.length);
}

/** With each window where its stacks' numbers begin. */
function withOffsets(windows: readonly PodWindow[]) {
  let next = 0;
  return windows.map((window) => {
    const offset = next;
    next += window.stacks.length;
    return { window, offset };
  });
}

interface Together {
  readonly counts: Float64Array;
  samples: number;
}

/** What one pod had in the block. */
function addSums(arm: ArmTally, pod: string, sums: NodeSums, together: Together): void {
  const { stacks, nodes, samples } = sums;
  for (let nth = 0; nth < stacks.length; nth++) {
    const stack = stacks[nth] ?? 0;
    const count = sums.ofStack[stack] ?? 0;
    arm.allSamples += count;
    arm.stackCounts[stack] = (arm.stackCounts[stack] ?? 0) + count;
  }
  if (samples === 0) return;
  const tally = arm.pods.get(pod) ?? { counts: new Float64Array(0), samples: 0, blocks: 0 };
  arm.pods.set(pod, tally);
  tally.samples += samples;
  tally.blocks += 1;
  together.samples += samples;
  tally.counts = roomFor(tally.counts, arm.counts.length);
  for (let nth = 0; nth < nodes.length; nth++) {
    const node = nodes[nth] ?? 0;
    const count = sums.ofNode[node] ?? 0;
    tally.counts[node] = (tally.counts[node] ?? 0) + count;
    arm.counts[node] = (arm.counts[node] ?? 0) + count;
    arm.blockSquares[node] = (arm.blockSquares[node] ?? 0) + (count * count) / samples;
    together.counts[node] = (together.counts[node] ?? 0) + count;
  }
}
