/**
 * When a gate will be decided, out of what its windows have said so far: for a harmless canary, which is only ever decided by
 * passing, and for one that is worse. Nothing is simulated, and no verdict rests on it.
 */
import { type CpuForecast, forecastCpu, type Later, type Luck } from './cpu-forecast.ts';
import { type GateEvaluation, standsInTheWay } from './gate-evaluation.ts';
import { LOOK_MS } from './looks.ts';
import { forecastCheck, type RequestForecast } from './request-forecast.ts';
import { requestChecks } from './request-report.ts';

export interface Forecast {
  /** Event time of the last look, as time since the evaluation began. */
  readonly afterMs: number;
  /** Of all canary pods together, at the last look's rate. */
  readonly samplesPerSecond: number;
  readonly requestsPerSecond?: number;
  /** Samples per second and busy core, at the last look. */
  readonly hz: number;
  /** When a harmless canary passes, since the evaluation began; absent: not within a day. */
  readonly passesAfterMs?: number;
  /** The same if everything comes out in its favour. */
  readonly passesAtBestAfterMs?: number;
  /** When half of the canaries in which a function takes twice the margin more are Failed; absent: not within a day. */
  readonly provesAfterMs?: number;
  /** Growth of a function that is seen by the deadline with 90 % probability, as a share of CPU. */
  readonly detectableByDeadline?: number;
  /** Of the checks that stand in the way of Passed, the one that takes longest. */
  readonly slowest?: string;
  /** What would have a harmless canary passed by the deadline. */
  readonly remedies: Remedies;
  /** By other rates from now on: when a harmless canary passes, and the growth that is seen by the deadline. */
  readonly byRate: readonly RateForecast[];
}

export interface Remedies {
  /** Times as many canary pods, or as much traffic for the same ones. */
  readonly canaries?: number;
  /** Margin of the check of functions, as a share of CPU. */
  readonly functionMargin?: number;
}

export interface RateForecast {
  readonly hz: number;
  readonly passesAfterMs?: number;
  readonly detectableByDeadline?: number;
}

const HORIZON_LOOKS = (24 * 60 * 60_000) / LOOK_MS; // the longest deadline there is
const MORE_CANARIES = [2, 4];
const TWICE_THE_MARGIN = 2; // of exactly the margin no more than half are ever Failed

/** Undefined before there is anything to go by. `rates`: others that may be had. */
export function forecast(
  evaluation: GateEvaluation,
  rates: readonly number[] = [],
  lookMs = LOOK_MS,
): Forecast | undefined {
  const { cpu, settings, startedAtMs } = evaluation;
  const ofCpu = forecastCpu(cpu);
  if (ofCpu === undefined || cpu.lastLookAtMs === undefined) return undefined;
  // What has passed is looked at no more.
  const afterMs = Math.max(cpu.lastLookAtMs, evaluation.requests?.lastLookAtMs ?? 0) - startedAtMs;
  const open = openChecks(evaluation, ofCpu);
  const sinceStart = (looks: number | undefined): number | undefined =>
    looks === undefined ? undefined : afterMs + looks * lookMs;
  const leftLooks = Math.max(0, Math.floor((settings.deadlineMs - afterMs) / lookMs));
  const leastLooks = Math.max(0, Math.ceil((settings.minDurationMs - afterMs) / lookMs));
  const passesAfter = (luck: Luck, later: Omit<Later, 'looks'> = {}): number | undefined =>
    firstLook(
      (looks) => looks >= leastLooks && open.every(({ passes }) => passes({ ...later, looks }, luck)),
    );
  const detectableAt = (hz?: number): number =>
    ofCpu.detectable({ looks: leftLooks, ...(hz === undefined ? {} : { hz }) });
  const likely = passesAfter('Likely');
  const slowest = open.find(
    ({ passes }) => !passes({ looks: Math.max(0, (likely ?? HORIZON_LOOKS) - 1) }, 'Likely'),
  );
  const growth = TWICE_THE_MARGIN * settings.functionMargin;
  const { looks, hzLooks, hz } = cpu.exposure;
  const requests = evaluation.requests?.arms;
  const canarySamples = cpu.arms.canary.allSamples;
  return {
    afterMs,
    samplesPerSecond: (canarySamples * hz * 1_000) / (hzLooks * lookMs),
    hz: Math.round(hz),
    ...(requests && requests.looks > 0
      ? { requestsPerSecond: (requests.canary.requests * 1_000) / (requests.looks * lookMs) }
      : {}),
    ...when('passesAfterMs', sinceStart(likely)),
    ...when('passesAtBestAfterMs', sinceStart(passesAfter('Best'))),
    ...when('provesAfterMs', sinceStart(firstLook((later) => ofCpu.proves(growth, { looks: later })))),
    ...when('detectableByDeadline', looks > 0 ? detectableAt() : undefined),
    ...(slowest && { slowest: slowest.name }),
    remedies: remediesFor(open, ofCpu, leftLooks),
    byRate: rates.map((rate) => ({
      hz: rate,
      ...when('passesAfterMs', sinceStart(passesAfter('Likely', { hz: rate }))),
      detectableByDeadline: detectableAt(rate),
    })),
  };
}

const when = <Key extends string>(key: Key, value: number | undefined): { readonly [K in Key]?: number } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]?: number });

interface OpenCheck {
  readonly name: string;
  passes(later: Later, luck: Luck): boolean;
}

/** Checks that stand in the way of Passed, and may still be got out of it. */
function openChecks(evaluation: GateEvaluation, ofCpu: CpuForecast): readonly OpenCheck[] {
  const { cpu, requests, settings } = evaluation;
  const ofFunctions: OpenCheck = { name: 'cpu.function', passes: (later, luck) => ofCpu.passes(later, luck) };
  const open = cpu.decision?.verdict === 'Passed' ? [] : [ofFunctions];
  if (requests === undefined) return open;
  const shown = requestChecks(requests, false);
  const ofRequests = requests.checks.flatMap((check, at): OpenCheck[] => {
    const seen = shown[at];
    const known: RequestForecast | undefined = forecastCheck(check, requests);
    if (seen === undefined || known === undefined || !standsInTheWay(seen, settings)) return [];
    return [{ name: seen.check, passes: ({ looks, canaries }, luck) => known(looks, luck, canaries) }];
  });
  return [...open, ...ofRequests];
}

function remediesFor(open: readonly OpenCheck[], ofCpu: CpuForecast, leftLooks: number): Remedies {
  const enough = MORE_CANARIES.find((canaries) =>
    open.every(({ passes }) => passes({ looks: leftLooks, canaries }, 'Likely')),
  );
  const isByFunctions = open.some(
    ({ name, passes }) => name === 'cpu.function' && !passes({ looks: leftLooks }, 'Likely'),
  );
  return {
    ...when('canaries', enough),
    ...when('functionMargin', isByFunctions ? ofCpu.passable({ looks: leftLooks }) : undefined),
  };
}

/** The first look from now on at which something holds that holds from then on; undefined when none within a day. */
function firstLook(holds: (looks: number) => boolean): number | undefined {
  let before = -1;
  let at = 0;
  for (let step = 1; !holds(at); step *= 2) {
    if (at >= HORIZON_LOOKS) return undefined;
    before = at;
    at = Math.min(HORIZON_LOOKS, at + step);
  }
  while (at - before > 1) {
    const middle = Math.floor((at + before) / 2);
    if (holds(middle)) at = middle;
    else before = middle;
  }
  return at;
}
