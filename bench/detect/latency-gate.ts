/**
 * One simulated gate over requests, judged by the engine's own functions from sufficient statistics: numbers of requests beyond thresholds,
 * by pod, arm and look. What is left out is only what turns sketches into those numbers.
 */
import normalQuantileOf from '@stdlib/stats-base-dists-normal-quantile';
import { ASSUMED_OF_ERRORS, failuresPerUnit, weighErrors } from '../../src/detect/error-evidence.ts';
import {
  ASSUMED_OF_LATENCY,
  hasEnough,
  type LatencyMeasure,
  weighLatency,
} from '../../src/detect/latency-evidence.ts';
import { concentrationOf, createRequestArms, type RequestArms } from '../../src/detect/request-arms.ts';
import { concludeLook, openCheck, type RequestCheckState, spreadOf } from '../../src/detect/request-check.ts';
import { errorAlpha, type LatencySettings, latencyAlpha } from '../../src/detect/request-settings.ts';
import { BLOCK_MS } from '../../src/detect/request-spread.ts';
import { doubted } from './doubts.ts';
import type { GateOutcome } from './gate-outcome.ts';
import type { CellModel } from './latency-cell.ts';
import { type Beyond, LOG_SD } from './latency-model.ts';
import { COMMON, type Family, nextOf, PodShift } from './pod-noise.ts';
import type { Chance } from './random.ts';
import { SeenNumbers } from './seen-numbers.ts';

const NO_BAD_PODS = { pods: 0, slower: 0 };
const FALSE_FAILURE_RATE = 0.01;
const WINDOW_S = 10;
const WINDOWS_PER_BLOCK = BLOCK_MS / 1_000 / WINDOW_S;
const WARM_UP_S = 120;
const YOUNG_S = 45;
const ERRORS = 0.001;
const ERROR_POD_SD = 0.2; // of log-odds
const BURST_PART = 0.05;
const BURST_ERRORS = 10;
const ERROR_MARGIN = 0.005;

/** Requests of a pod in a stretch of time; `beyond` by threshold, ascending. */
interface Served {
  requests: number;
  failures: number;
  readonly beyond: Float64Array;
}

const nothing = (edges: number): Served => ({ requests: 0, failures: 0, beyond: new Float64Array(edges) });

interface Pod {
  readonly name: string;
  readonly shift: PodShift;
  readonly errors: number;
  readonly perWindow: number;
  /** Since the last look. */
  readonly served: Served;
}

export function simulateGate(model: CellModel, family: Family, chance: Chance): GateOutcome {
  return new Gate(model, family, chance).run();
}

class Gate {
  readonly #model: CellModel;
  readonly #chance: Chance;
  readonly #pods: { readonly canary: readonly Pod[]; readonly baseline: readonly Pod[] };
  readonly #arms: RequestArms = createRequestArms();
  readonly #latency: readonly RequestCheckState[];
  readonly #errors: RequestCheckState;
  readonly #canary: Served;
  readonly #expected: Float64Array;
  #common: number;
  /** By each canary pod since it was started, with the gate; in the young minutes too. */
  #servedByCanary = 0;

  constructor(model: CellModel, family: Family, chance: Chance) {
    const { cell, checks } = model;
    const { badPods = NO_BAD_PODS } = cell;
    this.#model = model;
    this.#chance = chance;
    const podsOf = (arm: string, pods: number, part: number, edges: number): Pod[] =>
      Array.from({ length: pods }, (_, number) => ({
        name: `${arm}-${number}`,
        shift: new PodShift(
          family,
          cell.podSd,
          chance,
          arm === 'canary' && number < badPods.pods ? badPods.slower : 0,
        ),
        errors: ERRORS * Math.exp(ERROR_POD_SD * chance.normal()),
        perWindow: (cell.requestsPerSecond * WINDOW_S * part) / pods,
        served: nothing(edges),
      }));
    this.#pods = {
      baseline: podsOf('baseline', cell.baselinePods, 1 - cell.canaryPart, model.baseline.length),
      canary: podsOf('canary', cell.canaryPods, cell.canaryPart, model.canary.length),
    };
    const blocks = (cell.deadlineS * 1_000) / BLOCK_MS;
    this.#latency = checks.map((settings) => {
      const alpha = latencyAlpha(FALSE_FAILURE_RATE, { latency: checks }, settings);
      return openCheck({ kind: 'latency', settings }, alpha, blocks);
    });
    const errors = { margin: ERROR_MARGIN, required: false };
    this.#errors = openCheck({ kind: 'errors', settings: errors }, errorAlpha(FALSE_FAILURE_RATE), blocks);
    this.#canary = nothing(model.canary.length);
    this.#expected = new Float64Array(model.baseline.length);
    this.#common = COMMON.sd * chance.normal();
  }

  run(): GateOutcome {
    const { cell } = this.#model;
    for (let block = -cell.history; block < 0; block++) {
      for (let window = 0; window < WINDOWS_PER_BLOCK; window++) this.#serveBaseline();
      this.#count('baseline', block);
    }
    const all = [...this.#latency, this.#errors];
    const seen = new SeenNumbers(cell.minS, this.#model.truth);
    for (let atS = WINDOW_S; atS <= cell.deadlineS; atS += WINDOW_S) {
      this.#serveBaseline();
      const isYoung = cell.warmUp > 0 && atS <= WARM_UP_S;
      this.#servedByCanary += this.#pods.canary[0]?.perWindow ?? 0;
      this.#serveCanary(atS - WINDOW_S, isYoung);
      if (atS % cell.lookS !== 0) continue;
      const block = Math.floor((atS * 1_000 - 1) / BLOCK_MS);
      this.#look(block, atS);
      if (cell.isOnlyMeasured === true) {
        seen.look(atS, this.#latency.at(-1)?.evidence);
        for (const check of all) check.verdict = 'Collecting';
        continue;
      }
      const failed = all.find(({ verdict }) => verdict === 'Failed');
      if (failed !== undefined) return { failedAtS: atS, by: nameOf(failed), looks: this.#arms.looks };
      if (all.every(({ verdict }) => verdict === 'Passed'))
        return { passedAtS: atS, looks: this.#arms.looks };
    }
    return { looks: this.#arms.looks, ...(cell.isOnlyMeasured === true && seen.outcome) };
  }

  #serveBaseline(): void {
    this.#common = nextOf(COMMON, this.#common, this.#chance);
    for (const pod of this.#pods.baseline) this.#serve(pod, this.#model.baseline, this.#common);
  }

  #serveCanary(atS: number, isYoung: boolean): void {
    const { cell, baseline, canary, places } = this.#model;
    const age = Math.log1p(cell.warmUp * Math.exp(-atS / YOUNG_S)) + (cell.drift * atS) / cell.deadlineS;
    const hasChanged = atS >= cell.fromS;
    for (const pod of this.#pods.canary) {
      if (isYoung) pod.shift.next();
      else if (hasChanged || canary.length === baseline.length) this.#serve(pod, canary, this.#common + age);
      else this.#serveUnchanged(pod, baseline, places);
    }
  }

  /** Before its change a canary is a baseline, counted at the thresholds it will have; its own quantiles are its thresholds then. */
  #serveUnchanged(pod: Pod, baseline: readonly Beyond[], places: CellModel['places']): void {
    const before = Float64Array.from(places, ({ threshold }) => pod.served.beyond[threshold] ?? 0);
    const served = {
      ...pod,
      served: { requests: 0, failures: 0, beyond: new Float64Array(baseline.length) },
    };
    this.#serve(served, baseline, this.#common);
    pod.served.requests += served.served.requests;
    pod.served.failures += served.served.failures;
    places.forEach(({ threshold }, at) => {
      pod.served.beyond[threshold] = (before[at] ?? 0) + (served.served.beyond[at] ?? 0);
    });
  }

  #serve(pod: Pod, edges: readonly Beyond[], moment: number): void {
    const { cell } = this.#model;
    const chance = this.#chance;
    const shift = pod.shift.next() + moment;
    const burst = cell.bursts > 0 && chance.even() < cell.bursts ? BURST_PART : 0;
    const errors = pod.errors * (burst > 0 ? BURST_ERRORS : 1);
    const { served, perWindow } = pod;
    served.failures += chance.poisson(perWindow * errors);
    // From the slowest on: what is beyond an edge is what is beyond the next one, and what is in between.
    let beyond = 0;
    let before = 0;
    for (let at = edges.length - 1; at >= 0; at--) {
      const edge = edges[at];
      if (edge === undefined) continue;
      const calm = edge.at(shift);
      const part = calm + burst * edge.inBurst * (1 - calm);
      beyond += chance.poisson(perWindow * (part - before));
      before = Math.max(before, part);
      served.beyond[at] = (served.beyond[at] ?? 0) + beyond;
    }
    served.requests += beyond + chance.poisson(perWindow * (1 - before));
  }

  /** Takes what pods served since the last look into the checks' counts of pods. */
  #count(arm: 'canary' | 'baseline', block: number): void {
    const { places } = this.#model;
    for (const { name, served } of this.#pods[arm]) {
      this.#latency.forEach((check, at) => {
        const edge = arm === 'canary' ? (places[at]?.threshold ?? 0) : at;
        check.counts[arm].add(name, block, { requests: served.requests, counted: served.beyond[edge] ?? 0 });
      });
      const requests = served.requests + served.failures;
      this.#errors.counts[arm].add(name, block, { requests, counted: served.failures });
      served.requests = 0;
      served.failures = 0;
      served.beyond.fill(0);
    }
  }

  #look(block: number, atS: number): void {
    const canary = this.#together('canary');
    const baseline = this.#together('baseline');
    this.#count('canary', block);
    this.#count('baseline', block);
    if (canary.requests === 0 || baseline.requests === 0) return; // the canary is still young
    const { cell } = this.#model;
    const arms = this.#arms;
    const weight = canary.requests / baseline.requests;
    arms.looks += 1;
    arms.canary.answered += canary.requests;
    arms.answeredSquares += weight * canary.requests;
    arms.canary.requests += canary.requests + canary.failures;
    arms.canary.failures += canary.failures;
    arms.baseline.failures += weight * baseline.failures;
    arms.requestSquares += weight * (canary.requests + canary.failures);
    this.#canary.requests += canary.requests;
    canary.beyond.forEach((count, at) => {
      this.#canary.beyond[at] = (this.#canary.beyond[at] ?? 0) + count;
    });
    this.#latency.forEach((check, at) => {
      const expected = weight * (baseline.beyond[at] ?? 0);
      this.#expected[at] = (this.#expected[at] ?? 0) + expected;
      const counted = canary.beyond[this.#model.places[at]?.threshold ?? 0] ?? 0;
      const squares = weight * canary.requests;
      const stretch = { requests: canary.requests, counted, expected, squares, looks: 1 };
      check.restarts.add(block, stretch);
      check.stretches.add(this.#servedByCanary, stretch);
    });
    const seen = {
      block,
      blocks: (arms.looks * cell.lookS * 1_000) / BLOCK_MS,
      concentration: concentrationOf(arms.canary) + concentrationOf(arms.baseline),
      pods: 1 / concentrationOf(arms.canary),
    };
    const round = { unusable: undefined, lookAtMs: atS * 1_000, mayPass: atS >= cell.minS };
    this.#latency.forEach((check, at) => {
      if (check.verdict === 'Collecting') concludeLook(check, this.#weighLatency(check, at, seen), round);
    });
    if (this.#errors.verdict === 'Collecting')
      concludeLook(this.#errors, this.#weighErrors(this.#errors, seen), round);
  }

  #together(arm: 'canary' | 'baseline'): Served {
    const sum = nothing(this.#model[arm].length);
    const ofPods = this.#arms[arm].pods;
    for (const { name, served } of this.#pods[arm]) {
      sum.requests += served.requests;
      sum.failures += served.failures;
      for (let at = 0; at < sum.beyond.length; at++)
        sum.beyond[at] = (sum.beyond[at] ?? 0) + (served.beyond[at] ?? 0);
      if (served.requests > 0) ofPods.set(name, (ofPods.get(name) ?? 0) + served.requests + served.failures);
    }
    return sum;
  }

  #weighLatency(check: RequestCheckState, at: number, { block, blocks, concentration, pods }: Seen) {
    const { checks, boundFactor } = this.#model;
    const settings = checks[at];
    const measure = settings && this.#measure(settings, at);
    if (settings === undefined || measure === undefined) return undefined;
    const { fixed: shape } = measure;
    const spread = spreadOf(check, block, { perUnit: shape.density, assumed: ASSUMED_OF_LATENCY, pods });
    const { counts, restarts, stretches, bound, alpha } = check;
    const { looks } = this.#arms;
    if (bound === undefined) return undefined;
    const seen = { measure, counts, restarts, spread, concentration, check: settings };
    const evidence = weighLatency({ ...seen, alpha, bound, boundFactor, blocks, looks });
    const noise = {
      podVariance: spread.podVariance,
      waveVariance: (spread.waveVariance * looks) / blocks,
      podBound: spread.factors.bound,
      boundFactor,
    };
    const baselineConcentration = concentrationOf(this.#arms.baseline);
    const known = { counts, restarts, stretches, shape, noise, concentration, baselineConcentration };
    return doubted(evidence, this.#servedByEach(), known);
  }

  #servedByEach() {
    const { canary: ofCanary, baseline: ofBaseline } = this.#pods;
    const [canary, baseline] = [ofCanary[0]?.perWindow ?? 0, ofBaseline[0]?.perWindow ?? 0];
    const windows = this.#servedByCanary / canary + this.#model.cell.history * WINDOWS_PER_BLOCK;
    return { canary: this.#servedByCanary, baseline: windows * baseline };
  }

  #measure({ quantile }: LatencySettings, at: number): LatencyMeasure | undefined {
    const { answered } = this.#arms.canary;
    if (!hasEnough(answered, quantile)) return undefined;
    const { baseline, canary, places } = this.#model;
    const threshold = baseline[at];
    const place = places[at];
    const own = place && canary[place.own];
    if (threshold === undefined || place === undefined || own === undefined) return undefined;
    const slower = (this.#expected[at] ?? 0) / answered;
    const counted = (this.#canary.beyond[place.threshold] ?? 0) / answered;
    if (!(slower > 0) || !(slower < 1)) return undefined;
    const score = normalQuantile(slower);
    const density = Math.exp((-score * score) / 2) / Math.sqrt(2 * Math.PI) / LOG_SD;
    const atThreshold = -normalQuantile(1 - quantile) * LOG_SD;
    const shiftOf = (part: number): number =>
      part > 0 && part < 1 ? atThreshold + normalQuantile(part) * LOG_SD : 0;
    const isMixed = this.#model.cell.fromS > 0; // of two versions: its quantile is nobody's own
    const ofCanary = isMixed
      ? shiftOf(counted)
      : own.logMs - threshold.logMs + own.shiftFor((this.#canary.beyond[place.own] ?? 0) / answered);
    return {
      answered,
      answeredSquares: this.#arms.answeredSquares,
      slower,
      excess: counted - slower,
      density,
      effect: ofCanary - threshold.shiftFor(slower),
      baselineMs: Math.exp(threshold.logMs),
      fixed: { density, shiftOf },
    };
  }

  #weighErrors(check: RequestCheckState, { block, blocks, concentration, pods }: Seen) {
    const arms = this.#arms;
    const perUnit = failuresPerUnit(arms);
    if (perUnit === undefined) return undefined;
    const spread = spreadOf(check, block, { perUnit, assumed: ASSUMED_OF_ERRORS, pods });
    const { counts, alpha } = check;
    const of = { arms, counts, spread, concentration, margin: ERROR_MARGIN };
    return weighErrors({ ...of, alpha, boundFactor: this.#model.boundFactor, blocks });
  }
}

/** Not the engine's, which remembers: parts of requests are never the same twice. */
const normalQuantile = (part: number): number => normalQuantileOf(part, 0, 1);

interface Seen {
  readonly block: number;
  readonly blocks: number;
  readonly concentration: number;
  readonly pods: number;
}

function nameOf({ of, evidence }: RequestCheckState): string {
  const check = of.kind === 'latency' ? `p${of.settings.quantile * 100}` : of.kind;
  return evidence?.onset === undefined ? check : `${check} since a later start`;
}
