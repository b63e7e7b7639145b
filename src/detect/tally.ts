import type { PodWindow } from './pod-window.ts';
import type { StackIndex } from './stack-index.ts';

/** What one pod has shown so far. */
export interface PodTally {
  /** Samples per node. */
  readonly counts: Float64Array;
  /** Samples of stacks with a function in them. */
  samples: number;
  /** Blocks (the windows between two looks) with samples. */
  blocks: number;
}

/** What one arm has shown so far. */
export interface ArmTally {
  readonly pods: Map<string, PodTally>;
  /** Samples per node over all pods. */
  readonly counts: Float64Array;
  /** Samples per distinct stack over all pods. */
  readonly stackCounts: Float64Array;
  /** Σ x²/n per node over pods and blocks: with the counts, all that the spread within pods needs. */
  readonly blockSquares: Float64Array;
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

/** An empty arm, sized for everything the index knows; the index must not grow any more. */
export function createArmTally(index: StackIndex): ArmTally {
  const nodes = index.functions.length * 2;
  return {
    pods: new Map(),
    counts: new Float64Array(nodes),
    stackCounts: new Float64Array(index.stacks.length),
    blockSquares: new Float64Array(nodes),
    samples: 0,
    allSamples: 0,
    samplesTaken: 0,
    samplesLost: 0,
  };
}

/** Adds the windows of one block. Sums only, so their order does not matter. */
export function addBlock(arm: ArmTally, windows: readonly PodWindow[], index: StackIndex): void {
  for (const [pod, ofPod] of Map.groupBy(windows, (window) => window.pod)) {
    const block = new Float64Array(arm.counts.length);
    const samples = countSamples(arm, ofPod, index, block);
    if (samples === 0) continue;
    const tally = arm.pods.get(pod) ?? { counts: new Float64Array(arm.counts.length), samples: 0, blocks: 0 };
    arm.pods.set(pod, tally);
    tally.samples += samples;
    tally.blocks += 1;
    arm.samples += samples;
    addCounts(arm, tally, block, samples);
  }
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
  for (let node = 0; node < block.length; node++) {
    const count = block[node] ?? 0;
    if (count === 0) continue;
    pod.counts[node] = (pod.counts[node] ?? 0) + count;
    arm.counts[node] = (arm.counts[node] ?? 0) + count;
    arm.blockSquares[node] = (arm.blockSquares[node] ?? 0) + (count * count) / samples;
  }
}
