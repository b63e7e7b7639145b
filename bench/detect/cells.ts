/** What is simulated: harmless canaries in 64 kinds of noise, canaries that are slower, and functions that take more CPU. */
import type { CpuCell } from './cpu-gate.ts';
import type { FullCell } from './full-gate.ts';
import type { GateOutcome } from './gate-outcome.ts';
import { HARMLESS, RENAMES } from './harmless.ts';
import type { LatencyCell } from './latency-cell.ts';
import type { Family } from './pod-noise.ts';
import type { Chance } from './random.ts';

interface NamedLatency {
  readonly name: string;
  readonly kind: 'null' | 'effect' | 'otherNull' | 'numbers';
  readonly family: Family;
  readonly cell: LatencyCell;
}

interface NamedCpu {
  readonly name: string;
  readonly kind: 'cpu';
  readonly cell: CpuCell;
}

interface NamedFull {
  readonly name: string;
  readonly kind: 'full';
  readonly cell: FullCell;
}

interface NamedHarmless {
  readonly name: string;
  readonly kind: 'harmless' | 'renameWithRegression';
  readonly simulate: (gate: number, chance: Chance) => GateOutcome;
}

interface NamedForetold {
  readonly name: string;
  readonly kind: 'foretold';
  readonly cell: CpuCell;
  /** What ends most of these gates; absent: their deadline. */
  readonly ends?: 'failedAtS' | 'passedAtS';
}

export type NamedCell = NamedForetold | NamedLatency | NamedCpu | NamedFull | NamedHarmless;

/** The gate as it is by default: P50 and P99 by 10 % or 2 ms, errors by 0.5 points, 3 to 30 minutes, three canary pods beside twenty. */
const DEFAULT: LatencyCell = {
  podSd: 0.03,
  requestsPerSecond: 1_000,
  baselinePods: 20,
  canaryPods: 3,
  canaryPart: 0.05,
  bursts: 0.01,
  drift: 0,
  warmUp: 0,
  change: {},
  fromS: 0,
  history: 13,
  quantiles: [0.5, 0.99],
  margin: 0.1,
  lookS: 30,
  minS: 180,
  deadlineS: 1_800,
};

/** Looked at three times as often as a gate does, and never Passed early: what could fail it has all of its half hour. */
const NULL: LatencyCell = { ...DEFAULT, lookS: 10, minS: DEFAULT.deadlineS };

const POD_SDS = [0, 0.015, 0.03, 0.05];
const RATES = [200, 1_000];
const CANARY_PODS = [1, 3];
const TROUBLES: Readonly<Record<string, Partial<LatencyCell>>> = {
  steady: {},
  bursts: { bursts: 0.04 },
  'warm-up': { warmUp: 1 },
  drift: { drift: 0.04 },
};

const percent = (part: number): string => `${part * 100}%`;

const nulls: readonly NamedLatency[] = POD_SDS.flatMap((podSd) =>
  RATES.flatMap((requestsPerSecond) =>
    CANARY_PODS.flatMap((canaryPods) =>
      Object.entries(TROUBLES).map(([trouble, of]) => ({
        name: `null sd=${percent(podSd)} ${requestsPerSecond}/s pods=${canaryPods} ${trouble}`,
        kind: 'null' as const,
        family: 'judging' as const,
        cell: { ...NULL, podSd, requestsPerSecond, canaryPods, ...of },
      })),
    ),
  ),
);

/** Beside the 64: few pods, no history, three quantiles, waves that last, one pod that is bad for itself. */
const otherNulls: readonly NamedLatency[] = [0.03, 0.05].flatMap((podSd) => {
  const sd = `sd=${percent(podSd)}`;
  const few = { podSd, baselinePods: 3, canaryPart: 0.5, history: 0 };
  const judging = 'judging' as const;
  return [
    { name: `few pods ${sd} 200/s`, of: { ...few, requestsPerSecond: 200 }, family: judging },
    { name: `few pods ${sd} 1000/s`, of: few, family: judging },
    { name: `no history ${sd} 1000/s`, of: { podSd, history: 0 }, family: judging },
    { name: `P50 P95 P99 ${sd} 1000/s`, of: { podSd, quantiles: [0.5, 0.95, 0.99] }, family: judging },
    { name: `slow waves ${sd} 1000/s`, of: { podSd }, family: 'slow' as const },
    { name: `one bad pod ${sd} 1000/s`, of: { podSd, badPods: { pods: 1, slower: 0.4 } }, family: judging },
  ].map(({ name, of, family }) => ({
    ...{ name, kind: 'otherNull' as const, family },
    cell: { ...NULL, ...of },
  }));
});

const TAIL = { tailMs: 12 };

const effects: readonly NamedLatency[] = POD_SDS.flatMap((podSd) => {
  const sd = `sd=${percent(podSd)}`;
  const cells: readonly { name: string; of: Partial<LatencyCell>; family?: Family }[] = [
    { name: `+12ms 1000/s ${sd}`, of: { change: TAIL } },
    { name: `+12ms 200/s ${sd}`, of: { change: TAIL, requestsPerSecond: 200 } },
    // A gate that may pass after three minutes has passed before: this one takes all of its half hour.
    { name: `+12ms from 8 min 1000/s ${sd}`, of: { change: TAIL, fromS: 480, minS: DEFAULT.deadlineS } },
    { name: `+2ms 1000/s ${sd}`, of: { change: { tailMs: 2 } } },
    { name: `+4ms 1000/s ${sd}`, of: { change: { tailMs: 4 } } },
    { name: `+6ms 1000/s ${sd}`, of: { change: { tailMs: 6 } } },
    { name: `+8ms 1000/s ${sd}`, of: { change: { tailMs: 8 } } },
    { name: `-10% 1000/s ${sd}`, of: { change: { factor: 0.9 } } },
    { name: `+12ms 1000/s looks of 10 s ${sd}`, of: { change: TAIL, lookS: 10 } },
    { name: `+12ms 1000/s margin 5% ${sd}`, of: { change: TAIL, margin: 0.05 } },
    { name: `two bad pods 1000/s ${sd}`, of: { badPods: { pods: 2, slower: 0.4 } } },
    { name: `+12ms 1000/s one pod ${sd}`, of: { change: TAIL, canaryPods: 1 } },
    { name: `+12ms 1000/s slow waves ${sd}`, of: { change: TAIL }, family: 'slow' },
    { name: `+12ms 1000/s as tuned ${sd}`, of: { change: TAIL }, family: 'tuning' },
  ];
  return cells.map(({ name, of, family = 'judging' }) => ({
    ...{ name, kind: 'effect' as const, family },
    cell: { ...DEFAULT, podSd, ...of },
  }));
});

/** What P99 is said to have grown by, and what would be seen: all latencies times a factor, and nothing decided. */
const numbers: readonly NamedLatency[] = [0.015, 0.03].flatMap((podSd) =>
  [1, 1.08, 1.1, 1.12, 1.14, 1.16].map((factor) => ({
    name: `numbers ×${factor} 1000/s sd=${percent(podSd)}`,
    kind: 'numbers' as const,
    family: 'judging' as const,
    cell: { ...DEFAULT, podSd, change: { factor }, isOnlyMeasured: true },
  })),
);

const CPU: CpuCell = { samplesPerSecond: 24.5, change: { kind: 'None' }, deadlineS: 1_200, minS: 180 };

const cpu: readonly NamedCpu[] = [
  { name: 'CPU null', cell: { ...CPU, minS: CPU.deadlineS } },
  { name: 'CPU +1% of a function', cell: { ...CPU, change: { kind: 'Grown' as const, part: 0.01 } } },
  { name: 'CPU +3% of a function', cell: { ...CPU, change: { kind: 'Grown' as const, part: 0.03 } } },
  { name: 'CPU new path 1%', cell: { ...CPU, change: { kind: 'New' as const, part: 0.01 } } },
  { name: 'CPU new path 2%', cell: { ...CPU, change: { kind: 'New' as const, part: 0.02 } } },
].map(({ name, cell }) => ({ name, kind: 'cpu' as const, cell }));

/**
 * Gates that are asked early when they will be decided. Canary pods of 0.025 core between them have 1.2 samples a second at 49 Hz and
 * five at 199; what a gate of half an hour cannot decide has all the time it needs here, with looks that are further apart.
 */
const GROWN = { kind: 'Grown', part: 0.01 } as const;
const NONE = { kind: 'None' } as const;
const SPEEDS: readonly (Pick<CpuCell, 'samplesPerSecond' | 'deadlineS'> & { readonly lookS: number })[] = [
  { samplesPerSecond: 1.2, deadlineS: 21_600, lookS: 300 },
  { samplesPerSecond: 5, deadlineS: 5_400, lookS: 90 },
  { samplesPerSecond: 24.5, deadlineS: 1_800, lookS: 30 },
];
const foretold: readonly NamedForetold[] = SPEEDS.flatMap((speed) => {
  const of = { ...speed, minS: speed.deadlineS, askedAtS: 5 * speed.lookS };
  const each = `${speed.samplesPerSecond}/s`;
  const wide = { margin: 0.03, minS: 2 * speed.lookS, askedAtS: 2 * speed.lookS };
  return [
    { name: `foretold +1% ${each}`, cell: { ...of, change: GROWN }, ends: 'failedAtS' as const },
    { name: `foretold harmless ${each}`, cell: { ...of, change: NONE }, ends: undefined },
    {
      name: `foretold harmless margin 3% ${each}`,
      cell: { ...of, ...wide, change: NONE },
      ends: 'passedAtS' as const,
    },
  ].map(({ ends, ...named }) => ({ ...named, kind: 'foretold' as const, ...(ends && { ends }) }));
});

const FULL: FullCell = {
  requestsPerSecond: 1_000,
  podSd: 0.03,
  canaryPods: 3,
  tailMs: 0,
  fromS: 0,
  minS: 180,
};
const FULL_NULL: FullCell = { ...FULL, minS: 1_800 };

/** The steady ones of the 64, and two that are slower. */
const full: readonly NamedFull[] = [
  ...POD_SDS.flatMap((podSd) =>
    RATES.flatMap((requestsPerSecond) =>
      CANARY_PODS.map((canaryPods) => ({
        name: `whole engine null sd=${percent(podSd)} ${requestsPerSecond}/s pods=${canaryPods} steady`,
        cell: { ...FULL_NULL, podSd, requestsPerSecond, canaryPods },
      })),
    ),
  ),
  { name: 'whole engine +12ms 1000/s sd=3%', cell: { ...FULL, tailMs: 12 } },
  {
    name: 'whole engine +12ms from 8 min 1000/s sd=3%',
    cell: { ...FULL_NULL, tailMs: 12, fromS: 480 },
  },
].map(({ name, cell }) => ({ name, kind: 'full' as const, cell }));

const harmless: readonly NamedHarmless[] = [
  ...HARMLESS.map(({ name, simulate }) => ({
    name: `harmless: ${name}`,
    kind: 'harmless' as const,
    simulate,
  })),
  ...RENAMES.map((each) => ({ ...each, kind: 'renameWithRegression' as const })),
];

export const CELLS: readonly NamedCell[] = [
  ...cpu,
  ...foretold,
  ...harmless,
  ...effects,
  ...numbers,
  ...full,
  ...otherNulls,
  ...nulls,
];
