/** What windows say of their pods besides what is compared: where they ran, how old, throttled, seen, loaded. */
import { requestsIn } from '../requests/request-window.ts';
import type { ArmWindows, Block } from './looks.ts';
import { compilerSamples, Maturity } from './maturity.ts';
import type { PodHost, PodWindow } from './pod-window.ts';

export interface PodFacts {
  readonly pod: string;
  host: PodHost | undefined;
  /** Profiling flags of its JVM, '' when default. */
  flags: string;
  startedAtMs: number;
  firstLookAtMs: number;
  lastLookAtMs: number;
  windowMs: number;
  cpuUsec: number;
  throttledUsec: number;
  /** Of windows that were throttled by more than a little. */
  throttledMs: number;
  samples: number;
  samplesLost: number;
  compilerSamples: number;
  /** Of windows whose requests were seen. */
  seenMs: number;
  requests: number;
  requestsLost: number;
}

export type ArmFacts = ReadonlyMap<string, PodFacts>;

/** Of all looks so far at which both arms had windows. */
export interface GateFacts {
  readonly baseline: Map<string, PodFacts>;
  readonly canary: Map<string, PodFacts>;
  readonly maturity: Maturity;
  firstLookAtMs: number;
  lastLookAtMs: number;
}

export const createGateFacts = (): GateFacts => ({
  ...{ baseline: new Map(), canary: new Map(), maturity: new Maturity() },
  ...{ firstLookAtMs: Number.POSITIVE_INFINITY, lastLookAtMs: Number.NEGATIVE_INFINITY },
});

/** Takes a block once, whichever check comes with it first. */
export function addFacts(facts: GateFacts, block: Block): void {
  if (block.lookAtMs <= facts.lastLookAtMs) return;
  if (block.baseline.length === 0 || block.canary.length === 0) return;
  facts.firstLookAtMs = Math.min(facts.firstLookAtMs, block.lookAtMs);
  facts.lastLookAtMs = block.lookAtMs;
  for (const arm of ['baseline', 'canary'] as const) {
    for (const window of block[arm]) addWindow(podIn(facts[arm], window, block.lookAtMs), window);
  }
}

function podIn(arm: Map<string, PodFacts>, { pod, podStartedAtMs }: PodWindow, lookAtMs: number): PodFacts {
  const known = arm.get(pod);
  if (known !== undefined) {
    known.lastLookAtMs = lookAtMs;
    return known;
  }
  const created: PodFacts = {
    ...{ pod, host: undefined, flags: '', startedAtMs: podStartedAtMs },
    ...{ firstLookAtMs: lookAtMs, lastLookAtMs: lookAtMs },
    ...{ windowMs: 0, cpuUsec: 0, throttledUsec: 0, throttledMs: 0, samples: 0, samplesLost: 0 },
    ...{ compilerSamples: 0, seenMs: 0, requests: 0, requestsLost: 0 },
  };
  arm.set(pod, created);
  return created;
}

function addWindow(facts: PodFacts, window: PodWindow): void {
  const { requests } = window;
  const ms = window.endMs - window.startMs;
  facts.host = window.host ?? facts.host;
  facts.flags = window.flags;
  facts.startedAtMs = Math.max(facts.startedAtMs, window.podStartedAtMs);
  facts.windowMs += ms;
  facts.cpuUsec += window.cpuUsec;
  facts.throttledUsec += window.throttledUsec;
  if (windowIsThrottled(window)) facts.throttledMs += ms;
  facts.samples += window.samplesTaken;
  facts.samplesLost += window.samplesLost;
  facts.compilerSamples += compilerSamples(window);
  if (requests?.state !== 'Seen') return;
  facts.seenMs += ms;
  facts.requests += servedIn(window);
  facts.requestsLost += requests.lost;
}

export const servedIn = ({ requests }: PodWindow): number => requestsIn(requests?.routes ?? []);

const THROTTLED_PART = 0.05; // of the CPU time used

export const windowIsThrottled = ({ throttledUsec, cpuUsec }: PodWindow): boolean =>
  throttledUsec > THROTTLED_PART * cpuUsec;

type Figure = {
  [Key in keyof PodFacts]: PodFacts[Key] extends number ? Key : never;
}[keyof PodFacts];

export function sumOver(arm: ArmFacts, key: Figure): number {
  let sum = 0;
  for (const pod of arm.values()) sum += pod[key];
  return sum;
}

export const partOf = (arm: ArmFacts, key: Figure, whole: Figure): number =>
  sumOver(arm, key) / Math.max(1, sumOver(arm, whole));

/** As people know it. */
export const nameOfPod = (facts: PodFacts | undefined, pod: string): string => facts?.host?.pod ?? pod;

/**
 * The canary's load of a pod over the baseline's: requests a pod and second where both arms' are seen, else CPU. 1 where there is
 * nothing to tell by.
 */
export function loadRatio({ baseline, canary }: Pick<GateFacts, 'baseline' | 'canary'>): number {
  const served = [canary, baseline].map((arm) => sumOver(arm, 'requests') / sumOver(arm, 'seenMs'));
  const burnt = [canary, baseline].map((arm) => sumOver(arm, 'cpuUsec') / sumOver(arm, 'windowMs'));
  for (const [ofCanary = 0, ofBaseline = 0] of [served, burnt]) {
    if (ofCanary > 0 && ofBaseline > 0) return ofCanary / ofBaseline;
  }
  return 1;
}

export const isSeenByBoth = ({ baseline, canary }: Pick<GateFacts, 'baseline' | 'canary'>): boolean =>
  sumOver(baseline, 'requests') > 0 && sumOver(canary, 'requests') > 0;

/** The same of one block, by requests. */
export function loadRatioIn({ baseline, canary }: ArmWindows): number {
  const rate = (windows: readonly PodWindow[]): number => {
    const seen = windows.filter(({ requests }) => requests?.state === 'Seen');
    const ms = seen.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
    return seen.reduce((sum, window) => sum + servedIn(window), 0) / ms;
  };
  const ratio = rate(canary) / rate(baseline);
  return Number.isFinite(ratio) && ratio > 0 ? ratio : 1;
}

/** Pods of the baseline that are as old as the canary's, within a factor of two, where the arms' ages differ. */
export function agedAlike({ baseline, canary, lastLookAtMs }: GateFacts): ReadonlySet<string> {
  const ageOf = ({ startedAtMs }: PodFacts): number => Math.max(1, lastLookAtMs - startedAtMs);
  const ages = [...canary.values()].map(ageOf).sort((a, b) => a - b);
  const usual = ages[Math.floor(ages.length / 2)];
  if (usual === undefined) return new Set();
  const alike = [...baseline.values()].filter((pod) => Math.abs(Math.log2(ageOf(pod) / usual)) <= 1);
  return new Set(alike.length < baseline.size ? alike.map(({ pod }) => pod) : []);
}
