/** From windows to the figures of bench/results/overhead.json. Pure. */
import {
  addedCost,
  type Estimate,
  isBeyondNoise,
  mean,
  noiseFloor,
  pairedRatio,
  quantile,
  type RoundCosts,
  savedShare,
} from './paired-ratio.ts';
import { costOf, type Window } from './window.ts';

export interface ComparedVariant {
  readonly name: string;
  /** Mean over windows; with what runs outside the service, which is also told apart. */
  readonly cpuMsPerRequest: number;
  readonly agentCpuMsPerRequest: number;
  readonly bpfCpuMsPerRequest: number | null;
  /** Null where the base was not measured. */
  readonly addedCpuMsPerRequest: number | null;
  readonly ratioToBare: number | null;
  readonly interval: readonly [number, number] | null;
  /** False: within what the A/A pair differs by, so nothing is claimed. */
  readonly beyondNoise: boolean;
  readonly rssMb: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly nodeCpuPercent: number;
  readonly nodeRssMb: number;
  readonly requests: number;
  readonly errors: number;
}

export interface Noise {
  /** Second of the pair to the first. */
  readonly ratio: Estimate;
  /** No ratio nearer to 1 is claimed; null: none at all is. */
  readonly floor: number | null;
}

export interface Comparison {
  readonly variants: readonly ComparedVariant[];
  /** Null when the pair was not measured. */
  readonly noise: Noise | null;
}

/** `pair` is the A/A pair, whose mean is the base of each round. */
export function compare(
  windows: readonly Window[],
  pair: readonly [string, string],
  random: () => number,
): Comparison {
  const rounds = roundCosts(windows);
  const names = [...new Set(windows.map(({ variant }) => variant))];
  const noise = pair.every((name) => names.includes(name)) ? noiseOf(rounds, pair, random) : null;
  const variants = names.map((name) => {
    const own = windows.filter(({ variant }) => variant === name);
    const ratio = noise ? pairedRatio(rounds, name, pair, random) : null;
    return {
      ...usageOfVariant(name, own),
      addedCpuMsPerRequest: noise ? addedCost(rounds, name, pair) : null,
      ratioToBare: ratio?.value ?? null,
      interval: ratio?.interval ?? null,
      beyondNoise: ratio !== null && !pair.includes(name) && isBeyondNoise(ratio, noise?.floor ?? null),
    };
  });
  return { variants, noise };
}

function usageOfVariant(name: string, own: readonly Window[]) {
  const perRequest = (msOf: (window: Window) => number) =>
    mean(own.map((window) => msOf(window) / window.requests));
  const isBpfMeasured = own.every(({ bpfCpuMs }) => bpfCpuMs !== null);
  return {
    name,
    cpuMsPerRequest: mean(own.map(costOf)),
    agentCpuMsPerRequest: perRequest(({ agentCpuMs }) => agentCpuMs),
    bpfCpuMsPerRequest: isBpfMeasured ? perRequest(({ bpfCpuMs }) => bpfCpuMs ?? 0) : null,
    rssMb: quantile(
      own.map(({ rssMb }) => rssMb),
      0.5,
    ),
    p50Ms: quantile(
      own.map(({ p50Ms }) => p50Ms),
      0.5,
    ),
    p99Ms: quantile(
      own.map(({ p99Ms }) => p99Ms),
      0.5,
    ),
    nodeCpuPercent: 100 * mean(own.map(({ agentCpuMs, seconds }) => agentCpuMs / 1000 / seconds)),
    nodeRssMb: Math.max(...own.map(({ agentRssMb }) => agentRssMb)),
    requests: own.reduce((sum, { requests }) => sum + requests, 0),
    errors: own.reduce((sum, { errors }) => sum + errors, 0),
  };
}

function noiseOf(
  rounds: readonly RoundCosts[],
  [a, b]: readonly [string, string],
  random: () => number,
): Noise {
  const ratio = pairedRatio(rounds, b, [a], random);
  return { ratio, floor: noiseFloor(ratio) };
}

/** Null unless all of them were measured in each round. */
export function savedAgainst(
  windows: readonly Window[],
  names: { readonly variant: string; readonly other: string; readonly bases: readonly string[] },
  random: () => number,
): Estimate | null {
  const rounds = roundCosts(windows);
  const needed = [names.variant, names.other, ...names.bases];
  if (rounds.length === 0 || !rounds.every((round) => needed.every((name) => round.has(name)))) return null;
  return savedShare(rounds, names, random);
}

/** Only whole rounds: one that lacks a window has nothing to pair it with. */
function roundCosts(windows: readonly Window[]): readonly RoundCosts[] {
  const rounds = new Map<number, Map<string, number>>();
  for (const window of windows) {
    const round = rounds.get(window.round) ?? new Map<string, number>();
    rounds.set(window.round, round.set(window.variant, costOf(window)));
  }
  const names = new Set(windows.map(({ variant }) => variant));
  return [...rounds.values()].filter((round) => round.size === names.size);
}
