/** Which pods still compile: what a JVM's compiler threads take, beside what they take in pods that have done with it. */
import type { ArmWindows } from './looks.ts';
import type { PodWindow, StackCount } from './pod-window.ts';

/** Roots that src/jvm/vm-threads.ts gives threads of the compilers, and their entry where only libjvm's symbols name it. */
const COMPILERS = new Set(['[C1 compiler]', '[C2 compiler]', '[compiler]']);
const ENTRY = 'CompileBroker::compiler_thread_loop';

const isOfCompiler = ({ frames }: StackCount): boolean => {
  const root = frames.at(-1) ?? '';
  return COMPILERS.has(root) || root.startsWith(ENTRY) || frames.at(-2)?.startsWith(ENTRY) === true;
};

/** Samples of a window's compiler threads. */
export const compilerSamples = ({ stacks }: PodWindow): number =>
  stacks.reduce((sum, stack) => (isOfCompiler(stack) ? sum + stack.count : sum), 0);

/**
 * Chosen, not measured: what a warm service still compiles is a part in a hundred, and a JVM of a minute spends a fifth and more on
 * it. Beside twice the other arm, because a service that loads code all day compiles all day.
 */
export const COMPILING_PART = 0.05;
export const TIMES_THE_OTHERS = 2;
const FEWEST_SAMPLES = 10; // of compilers in a block; fewer are chance
/** A service that compiles for longer will not stop soon: its windows count, and the report says so. */
export const LONGEST_WARM_UP_MS = 300_000;

/** The block without pods that still compile and are young enough for that to pass. */
export function withoutCompiling(block: ArmWindows): ArmWindows {
  const young = ({ startMs, podStartedAtMs }: PodWindow): boolean =>
    startMs - podStartedAtMs < LONGEST_WARM_UP_MS;
  const compiling = compilingPods(block);
  if (compiling.size === 0) return block;
  const stays = (window: PodWindow): boolean => !(compiling.has(window.pod) && young(window));
  return { baseline: block.baseline.filter(stays), canary: block.canary.filter(stays) };
}

/** Pods of either arm that compile in this block. */
export function compilingPods({ baseline, canary }: ArmWindows): ReadonlySet<string> {
  const ofBaseline = partsOf(baseline);
  const usual = medianOf([...ofBaseline.values()].map(({ part }) => part));
  const least = Math.max(COMPILING_PART, TIMES_THE_OTHERS * usual);
  const all = [...ofBaseline, ...partsOf(canary)];
  return new Set(
    all.filter(([, { part, compiler }]) => part > least && compiler >= FEWEST_SAMPLES).map(([pod]) => pod),
  );
}

function partsOf(windows: readonly PodWindow[]) {
  const parts = new Map<string, { readonly compiler: number; readonly part: number }>();
  for (const [pod, ofPod] of Map.groupBy(windows, (window) => window.pod)) {
    const compiler = ofPod.reduce((sum, window) => sum + compilerSamples(window), 0);
    const taken = ofPod.reduce((sum, { samplesTaken }) => sum + samplesTaken, 0);
    parts.set(pod, { compiler, part: taken > 0 ? compiler / taken : 0 });
  }
  return parts;
}

function medianOf(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b);
  return ascending[Math.floor(ascending.length / 2)] ?? 0;
}
