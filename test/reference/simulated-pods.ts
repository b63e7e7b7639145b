import type { PodWindow, StackCount } from '../../src/detect/pod-window.ts';

/** A call path of the simulated service and the share of CPU its leaf burns. */
export interface SimulatedPath {
  /** Leaf first. */
  readonly frames: readonly string[];
  readonly weight: number;
}

export interface SimulatedNoise {
  /** Standard deviation, pod by function, of the logarithm of a function's cost. */
  readonly podSd: number;
  /** Part of the leaf functions that the JIT inlines in some pods and not in others. */
  readonly lottery: number;
  /** Standard deviation of slow waves (AR(1), 0.8 from window to window) in a pod's function. */
  readonly waveSd: number;
  /** Part of each function's own samples that are taken in native code below it; default none. */
  readonly native?: number;
  /** Windows until half of the methods are compiled, in all pods alike: before, a perf map has no name for them. */
  readonly halfCompiled?: number;
}

export interface SimulatedRun {
  readonly baselinePaths: readonly SimulatedPath[];
  readonly canaryPaths: readonly SimulatedPath[];
  readonly pods: number;
  readonly windows: number;
  /** Samples in a pod's window of a service whose weights sum to one. */
  readonly samplesPerWindow: number;
  readonly noise: SimulatedNoise;
  readonly seed: number;
}

export type Random = () => number;

/** mulberry32: small, seeded, good enough to draw counts with. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

function poisson(mean: number, random: Random): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  const limit = Math.exp(-mean);
  let product = random();
  let count = 0;
  while (product > limit) {
    product *= random();
    count += 1;
  }
  return count;
}

const INTERNAL_SHARE = 0.12; // GC and JIT threads without symbols

/** A service of `functions` methods in a random call tree under two worker threads, costs lognormal. */
export function simulatedService(functions: number, seed: number): SimulatedPath[] {
  const random = seededRandom(seed);
  const paths: string[][] = [];
  const weights: number[] = [];
  for (let i = 0; i < functions; i++) {
    const shallow = paths[Math.floor(random() * random() * paths.length)];
    const thread = random() < 0.8 ? 'worker' : 'acceptor';
    const callers =
      i < 6 || shallow === undefined
        ? [`app.Route${i % 4}.handle`, `io.${thread}.run`, 'java.lang.Thread.run']
        : shallow;
    paths.push([`app.Class${i}.method`, ...callers]);
    weights.push(Math.exp(1.3 * normal(random)));
  }
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  const service = paths.map((frames, i) => ({
    frames,
    weight: ((1 - INTERNAL_SHARE) * (weights[i] ?? 0)) / whole,
  }));
  return [
    ...service,
    { frames: ['[libjvm.so]', '[libc.so.6]'], weight: INTERNAL_SHARE * 0.8 },
    { frames: ['do_syscall_64_[k]', '[libc.so.6]'], weight: INTERNAL_SHARE * 0.2 },
  ];
}

/** Windows of both arms. Every pod draws its own costs; both arms draw from the same noise. */
export function simulateRun(run: SimulatedRun): { baseline: PodWindow[]; canary: PodWindow[] } {
  const random = seededRandom(run.seed);
  // Which functions can be inlined is a fact of the code, in how many pods is chance.
  const inlineChance = new Map<string, number>();
  for (const path of [...run.baselinePaths, ...run.canaryPaths]) {
    const leaf = path.frames[0] ?? '';
    const canInline = path.frames.length > 3 && leaf.startsWith('app.Class');
    if (inlineChance.has(leaf) || !canInline) continue;
    if (random() < run.noise.lottery) inlineChance.set(leaf, 0.2 + 0.6 * random());
    else inlineChance.set(leaf, 0);
  }
  const compiledAt = new Map<string, number>();
  for (const leaf of inlineChance.keys()) {
    compiledAt.set(
      leaf,
      run.noise.halfCompiled === undefined ? 0 : -Math.log2(random()) * run.noise.halfCompiled,
    );
  }
  const arm = (name: string, paths: readonly SimulatedPath[]): PodWindow[] =>
    Array.from({ length: run.pods }, (_, pod) =>
      simulatePod({ pod: `${name}-${pod}`, paths, run, inlineChance, compiledAt }, random),
    ).flat();
  return { baseline: arm('baseline', run.baselinePaths), canary: arm('canary', run.canaryPaths) };
}

interface SimulatedPod {
  readonly pod: string;
  readonly paths: readonly SimulatedPath[];
  readonly run: SimulatedRun;
  readonly inlineChance: ReadonlyMap<string, number>;
  /** The window from which on a method has a name. */
  readonly compiledAt: ReadonlyMap<string, number>;
}

const WAVE_MEMORY = 0.8;

function simulatePod(simulated: SimulatedPod, random: Random): PodWindow[] {
  const { pod, paths, run, inlineChance, compiledAt } = simulated;
  const { noise } = run;
  const inlined = new Set<string>();
  for (const [leaf, chance] of inlineChance) if (random() < chance) inlined.add(leaf);
  const { native = 0 } = noise;
  const taken = native === 0 ? paths : paths.flatMap((path) => withNativeLeaf(path, native));
  const stacks = taken.map((path) => ({
    frames: path.frames.filter((frame) => !inlined.has(frame)),
    mean: path.weight * run.samplesPerWindow * Math.exp(noise.podSd * normal(random)),
    wave: noise.waveSd * normal(random),
  }));
  return Array.from({ length: run.windows }, (_, at) => {
    const counts: StackCount[] = [];
    for (const stack of stacks) {
      const count = poisson(stack.mean * Math.exp(stack.wave), random);
      if (count > 0) counts.push({ frames: named(stack.frames, at, compiledAt), count });
      stack.wave = WAVE_MEMORY * stack.wave + Math.sqrt(1 - WAVE_MEMORY ** 2) * noise.waveSd * normal(random);
    }
    return windowOf(pod, at, counts);
  });
}

function withNativeLeaf({ frames, weight }: SimulatedPath, native: number): SimulatedPath[] {
  return [
    { frames, weight: weight * (1 - native) },
    { frames: ['[libc.so.6]', ...frames], weight: weight * native },
  ];
}

function named(
  frames: readonly string[],
  at: number,
  compiledAt: ReadonlyMap<string, number>,
): readonly string[] {
  if (frames.every((frame) => (compiledAt.get(frame) ?? 0) <= at)) return frames;
  return frames.map((frame) => ((compiledAt.get(frame) ?? 0) <= at ? frame : '[jit]'));
}

function windowOf(pod: string, at: number, stacks: readonly StackCount[]): PodWindow {
  const samples = stacks.reduce((sum, { count }) => sum + count, 0);
  return {
    pod,
    startMs: at * 10_000,
    endMs: (at + 1) * 10_000,
    podStartedAtMs: -600_000,
    samplesTaken: samples,
    samplesLost: 0,
    hz: 199,
    cpuUsec: Math.round((samples / 199) * 1e6),
    throttledUsec: 0,
    flags: '',
    stacks,
  };
}
