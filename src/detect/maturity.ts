/**
 * Which pods' JVMs are as far as the baseline's: by what their compilers take, how much still runs in the interpreter, and whether a
 * request still gets cheaper. Minutes say little, for a JVM that is asked once a second needs a quarter of an hour for what
 * another has compiled in three. Never told by what is compared.
 */
import { addJavaSamples, type JavaSamples } from '../profile/java-samples.ts';
import { SharedStacks } from '../profile/shared-stacks.ts';
import { requestsIn } from '../requests/request-window.ts';
import type { ArmWindows, Block } from './looks.ts';
import type { PodWindow } from './pod-window.ts';
import { ServedSinceStart } from './served-since-start.ts';
import { StackMemo } from './stack-memo.ts';

/** Roots that src/jvm/vm-threads.ts gives the compilers' threads, and their entry where that is the outermost name. */
const COMPILERS = new Set(['[C1 compiler]', '[C2 compiler]', '[compiler]']);
const ENTRY = 'CompileBroker::compiler_thread_loop';

const isOfCompiler = ({ frames }: { readonly frames: readonly string[] }): boolean => {
  const root = frames.at(-1) ?? '';
  return COMPILERS.has(root) || root.startsWith(ENTRY);
};

/** Samples of a window's compiler threads. */
export const compilerSamples = ({ stacks }: PodWindow): number =>
  stacks instanceof SharedStacks
    ? OF_COMPILERS.sum(stacks)
    : stacks.reduce((sum, stack) => (isOfCompiler(stack) ? sum + stack.count : sum), 0);

const OF_COMPILERS = new StackMemo((stack) => (isOfCompiler(stack) ? 1 : 0));

/**
 * Of a pod's samples. On JDK 17 with 1.2 requests a second compilers took 11 % in the first two minutes, then 4, 2 and 1, and nothing
 * from the tenth minute on; with a fifth of the requests 3 to 5 % up to the fourteenth.
 */
export const COMPILING_PART = 0.02;
/** And so many times what they take in the baseline: a service that loads code all day compiles all day. */
export const TIMES_THE_OTHERS = 2;
const FEWEST_COMPILER_SAMPLES = 5;
const MORE_INTERPRETED = 0.05; // of Java samples, above twice the baseline's
const FEWEST_JAVA_SAMPLES = 50;
/** A JVM that is no further by then will not be soon: its windows count, and what they show stays in doubt. */
export const MATURE_BY_MS = 30 * 60_000;
const MEMORY = 0.75; // from block to block: two minutes count
const BLOCKS_A_SIDE = 4; // two minutes beside the two before
const FALLING = 0.9; // of CPU a request, beside the baseline's
const DEARER = 1.15; // than in the baseline: what is as cheap has nothing left to gain

interface Recent {
  compiler: number;
  samples: number;
  java: JavaSamples | undefined;
}

/** Why pods of the canary are behind. */
export interface Immaturity {
  readonly pods: number;
  /** Of the canary's samples, and of the baseline's. */
  readonly compiling: readonly [canary: number, baseline: number];
  /** CPU a request, canary over baseline; undefined where requests are not seen. */
  readonly cost: number | undefined;
}

/** Requests from which on a pod is no longer young: a request costs what it will but for some per cent (RESULTS). */
const SETTLED_REQUESTS = 3_000;
const YOUNGER = 0.5; // than the baseline's pods, in requests served

/** From how many requests on a pod is as far as the baseline's, which have served so many each. */
const settledAt = (baseline: number): number => Math.min(SETTLED_REQUESTS, YOUNGER * baseline);

/**
 * What is counted from a pod's youth on, but not from its beginning, has to see so many times the requests before it tells what stays from
 * what falls as 1/n: until then, at most until twice as many requests, when what is left has halved once more.
 */
const TIMES_TO_TELL = 3;
const LATER = 2;

/** Requests that each pod of the arms has served since it was started, and the canary's had when it was first counted; 0: not known. */
export function hasServedFew(canary: number, baseline: number, from = 0): boolean {
  const settled = settledAt(baseline);
  if (canary <= 0) return false;
  return canary < settled || (from < settled && canary < Math.min(TIMES_TO_TELL * from, LATER * settled));
}

export class Maturity {
  readonly #recent = new Map<string, Recent>();
  readonly #served = { baseline: new ServedSinceStart(), canary: new ServedSinceStart() };
  #isOld = false;
  #servedByCanary = 0;
  /** At the last block, by pods of each arm. */
  #servedNow = 0;
  #servedByBaseline = 0;
  #settledAt = SETTLED_REQUESTS;
  readonly #cost: number[] = [];
  #immature: ReadonlySet<string> = new Set();
  #why: Immaturity | undefined;
  #leftOutMs = 0;

  /** Of the canary at the last block; undefined where it is as far as the baseline. */
  get why(): Immaturity | undefined {
    return this.#why;
  }

  /**
   * Whether the canary's pods have served so few requests, beside the baseline's, that what they do may still get faster. It ends with
   * some thousand requests, or half an hour.
   */
  get isYoung(): boolean {
    return this.isYoungFrom(0);
  }

  /** The same of what is counted since each of them had served `from`. */
  isYoungFrom(from: number): boolean {
    return !this.#isOld && hasServedFew(this.#servedNow, this.#servedByBaseline, from);
  }

  /** By each of the canary's pods since it was started; 0 where no requests are seen. */
  get served(): number {
    return this.#servedByCanary;
  }

  /** What each of them will have served once it is no longer young, or has already. */
  get settledAt(): number {
    return this.#settledAt;
  }

  /** Of the canary's windows. */
  get leftOutMs(): number {
    return this.#leftOutMs;
  }

  isBehind(pod: string): boolean {
    return this.#immature.has(pod);
  }

  /** Takes a block, and returns what of it is of pods that are far enough, or too old to wait for. */
  matured(block: Block): Block {
    for (const windows of [block.baseline, block.canary]) this.#remember(windows);
    this.#weigh(block);
    this.#count(block);
    const stays = ({ pod, startMs, podStartedAtMs }: PodWindow): boolean =>
      !this.#immature.has(pod) || startMs - podStartedAtMs >= MATURE_BY_MS;
    if (this.#immature.size === 0) return block;
    const kept = { baseline: block.baseline.filter(stays), canary: block.canary.filter(stays) };
    for (const window of block.canary) if (!stays(window)) this.#leftOutMs += window.endMs - window.startMs;
    const isLess = kept.baseline.length + kept.canary.length < block.baseline.length + block.canary.length;
    return { ...block, ...kept, warmUpExcluded: block.warmUpExcluded || isLess };
  }

  #remember(windows: readonly PodWindow[]): void {
    for (const [pod, ofPod] of Map.groupBy(windows, (window) => window.pod)) {
      const before = this.#recent.get(pod) ?? { compiler: 0, samples: 0, java: undefined };
      const java = ofPod.map((window) => window.java).reduce(addJavaSamples, faded(before.java));
      this.#recent.set(pod, {
        compiler: MEMORY * before.compiler + ofPod.reduce((sum, window) => sum + compilerSamples(window), 0),
        samples: MEMORY * before.samples + ofPod.reduce((sum, { samplesTaken }) => sum + samplesTaken, 0),
        java,
      });
    }
  }

  #count({ baseline, canary }: ArmWindows): void {
    this.#served.baseline.add(baseline);
    this.#served.canary.add(canary);
    const [ofBaseline, ofCanary] = [this.#served.baseline.of(baseline), this.#served.canary.of(canary)];
    if (ofCanary > 0) this.#servedByCanary = ofCanary;
    this.#servedNow = ofCanary;
    this.#servedByBaseline = ofBaseline;
    if (ofBaseline > 0) this.#settledAt = Math.max(ofCanary, settledAt(ofBaseline));
    this.#isOld = canary.every(({ startMs, podStartedAtMs }) => startMs - podStartedAtMs >= MATURE_BY_MS);
  }

  #weigh(block: ArmWindows): void {
    const [baseline, canary] = [podsIn(block.baseline), podsIn(block.canary)];
    const recentOf = (pods: readonly string[]) => pods.flatMap((pod) => this.#recent.get(pod) ?? []);
    const usual = {
      compiling: medianOf(recentOf(baseline).map(compiling)),
      interpreted: medianOf(recentOf(baseline).map(interpreted)),
    };
    const isBehind = (pod: string): boolean => {
      const recent = this.#recent.get(pod);
      if (recent === undefined) return false;
      const compiles =
        recent.compiler >= FEWEST_COMPILER_SAMPLES &&
        compiling(recent) > Math.max(COMPILING_PART, TIMES_THE_OTHERS * usual.compiling);
      const interprets =
        (recent.java?.samples ?? 0) >= FEWEST_JAVA_SAMPLES &&
        interpreted(recent) > TIMES_THE_OTHERS * usual.interpreted + MORE_INTERPRETED;
      return compiles || interprets;
    };
    const ratio = costRatio(block);
    if (ratio !== undefined) this.#cost.push(ratio);
    const behind = new Set([...baseline, ...canary].filter(isBehind));
    if (isFalling(this.#cost)) for (const pod of canary) behind.add(pod);
    this.#immature = behind;
    const pods = canary.filter((pod) => behind.has(pod)).length;
    const whole = (recent: readonly Recent[]): number =>
      recent.reduce((sum, { compiler }) => sum + compiler, 0) /
      Math.max(
        1,
        recent.reduce((sum, { samples }) => sum + samples, 0),
      );
    const compilingOf = [whole(recentOf(canary)), whole(recentOf(baseline))] as const;
    this.#why = pods === 0 ? undefined : { pods, compiling: compilingOf, cost: ratio };
  }
}

const faded = (java: JavaSamples | undefined): JavaSamples | undefined =>
  java && { samples: MEMORY * java.samples, interpreted: MEMORY * java.interpreted };

const podsIn = (windows: readonly PodWindow[]): string[] => [...new Set(windows.map(({ pod }) => pod))];

const compiling = ({ compiler, samples }: Recent): number => compiler / Math.max(1, samples);

const interpreted = ({ java }: Recent): number => (java ? java.interpreted / Math.max(1, java.samples) : 0);

function medianOf(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b);
  return ascending[Math.floor(ascending.length / 2)] ?? 0;
}

/** The canary's CPU a request over the baseline's in one block, so that what a moment does to all cancels. */
function costRatio({ baseline, canary }: ArmWindows): number | undefined {
  const cost = (windows: readonly PodWindow[]): number => {
    const seen = windows.filter(({ requests }) => requests?.state === 'Seen');
    const requests = seen.flatMap((window) => window.requests?.routes ?? []);
    const served = requestsIn(requests);
    return seen.reduce((sum, { cpuUsec }) => sum + cpuUsec, 0) / served;
  };
  const ratio = cost(canary) / cost(baseline);
  return Number.isFinite(ratio) && ratio > 0 ? ratio : undefined;
}

function isFalling(ratios: readonly number[]): boolean {
  if (ratios.length < 2 * BLOCKS_A_SIDE) return false;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const now = mean(ratios.slice(-BLOCKS_A_SIDE));
  const before = mean(ratios.slice(-2 * BLOCKS_A_SIDE, -BLOCKS_A_SIDE));
  return now > DEARER && now < FALLING * before;
}
