/** What the pods of one version did before a rollout, in the blocks that a gate would look at. */
import { HistoryStacks } from './history-stacks.ts';
import { type Block, LOOK_MS } from './looks.ts';
import { mergeWindows } from './merged-window.ts';
import type { PodWindow } from './pod-window.ts';
import { BLOCK_MS } from './request-spread.ts';
import type { Random } from './seeded-random.ts';

/** Warm windows of pods that were there nearly all of the time. */
export interface BaselineHistory {
  readonly pods: readonly string[];
  /** A multiple of BLOCK_MS, so that an evaluation that begins at a look sees the same blocks. */
  readonly startMs: number;
  readonly endMs: number;
  /** As they came, before those of a block became one. */
  readonly windows: number;
  /** One window for each pod that has any. */
  block(number: number): ReadonlyMap<string, PodWindow>;
}

/** Of blocks; a pod that is there for less would leave an arm with other pods every minute. */
const PRESENT_PART = 0.8;
/** They choose three in 220 ways, which is as many as are judged; an hour of one more pod is megabytes. */
export const MOST_PODS = 12;

/** Takes windows as they are read, pod by pod, and keeps the sums of each block. */
export class HistoryCollector {
  readonly #warmUpMs: number;
  readonly #blocks = new Map<number, Map<string, PodWindow>>();
  readonly #windows = new Map<string, number>();
  readonly #stacks = new HistoryStacks();
  #oldestMs = Number.POSITIVE_INFINITY;
  #newestMs = Number.NEGATIVE_INFINITY;

  constructor(warmUpMs: number) {
    this.#warmUpMs = warmUpMs;
  }

  /** All windows of one pod. */
  add(windows: readonly PodWindow[]): void {
    const warm = windows.filter(({ startMs, podStartedAtMs }) => startMs - podStartedAtMs >= this.#warmUpMs);
    for (const { startMs, endMs } of warm) {
      this.#oldestMs = Math.min(this.#oldestMs, startMs);
      this.#newestMs = Math.max(this.#newestMs, endMs);
    }
    for (const [number, [first, ...others]] of Map.groupBy(warm, blockOf)) {
      if (first === undefined) continue;
      const pods = this.#blocks.get(number) ?? new Map<string, PodWindow>();
      this.#blocks.set(number, pods);
      pods.set(
        first.pod,
        mergeWindows([first, ...others], (merged) => this.#stacks.merged(merged)),
      );
      this.#windows.set(first.pod, (this.#windows.get(first.pod) ?? 0) + 1 + others.length);
    }
  }

  /** `random`: draws the pods where there are more than anyone needs. */
  history(random: Random): BaselineHistory {
    const isEmpty = this.#blocks.size === 0;
    const first = isEmpty ? 0 : Math.ceil(this.#oldestMs / BLOCK_MS) * (BLOCK_MS / LOOK_MS);
    const end = isEmpty ? 0 : Math.max(first, Math.floor(this.#newestMs / LOOK_MS)); // whole blocks only
    const pods = drawn(this.#presentPods(first, end), random);
    const chosen = new Set(pods);
    return {
      pods,
      startMs: first * LOOK_MS,
      endMs: end * LOOK_MS,
      windows: pods.reduce((sum, pod) => sum + (this.#windows.get(pod) ?? 0), 0),
      block: (number) => {
        const all = this.#blocks.get(first + number) ?? new Map<string, PodWindow>();
        return new Map([...all].filter(([pod]) => chosen.has(pod)));
      },
    };
  }

  #presentPods(first: number, end: number): string[] {
    const seen = new Map<string, number>();
    for (const [number, pods] of this.#blocks) {
      if (number < first || number >= end) continue;
      for (const pod of pods.keys()) seen.set(pod, (seen.get(pod) ?? 0) + 1);
    }
    return [...seen]
      .filter(([, blocks]) => blocks >= PRESENT_PART * (end - first))
      .map(([pod]) => pod)
      .sort();
  }
}

const blockOf = ({ endMs }: PodWindow): number => Math.floor((endMs - 1) / LOOK_MS);

function drawn(pods: readonly string[], random: Random): string[] {
  const left = [...pods];
  while (left.length > MOST_PODS) left.splice(Math.floor(random() * left.length), 1);
  return left;
}

/** A block of a gate in which some of the pods are the canary. */
export function relabelled(history: BaselineHistory, number: number, canaries: ReadonlySet<string>): Block {
  const windows = [...history.block(number)].sort(([a], [b]) => (a < b ? -1 : 1));
  const ofArm = (isCanary: boolean): PodWindow[] =>
    windows.filter(([pod]) => canaries.has(pod) === isCanary).map(([, window]) => window);
  return {
    lookAtMs: history.startMs + (number + 1) * LOOK_MS,
    baseline: ofArm(false),
    canary: ofArm(true),
    warmUpExcluded: false,
  };
}

export const blocksOf = ({ startMs, endMs }: BaselineHistory): number => (endMs - startMs) / LOOK_MS;
