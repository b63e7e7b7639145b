/** A certification in a sentence, for a status and a terminal alike. */
import type { Certification } from './certify.ts';
import type { LatencyPower, Power, PowerPlan } from './power-plan.ts';

/**
 * "0 of 220 placebos failed (worth 30 independent ones); sees ≥ 7.2 ms of P99 or ≥ 1.2 % of CPU in 10 min with 3 canary pods,
 * 4 min with 6". What it took to make that true, and what it does not cover, come after it.
 */
export function certificationSentence(certification: Certification, deadlineMs: number): string {
  const { placebos, podVarianceFactor, lookedAtMs, falseAlarms, holds } = certification;
  const inflated = podVarianceFactor > 1 ? ` with the variance between pods × ${podVarianceFactor}` : '';
  const worst = falseAlarms[0];
  const because = holds || worst === undefined ? '' : `, ${worst.times} of them by ${worst.what}`;
  const short = lookedAtMs < deadlineMs ? ` (each looked at for ${minutes(lookedAtMs)})` : '';
  const worth = placebos.effective < placebos.run ? ` (worth ${placebos.effective} independent ones)` : '';
  return `${placebos.failed} of ${placebos.run} placebos failed${worth}${inflated}${because}${short}; ${powerSentence(certification.plan)}`;
}

function powerSentence({ rows }: PowerPlan): string {
  const [first, ...others] = rows;
  if (first === undefined) return 'nothing can be foretold';
  const seen = powerText(first.power);
  if (seen === undefined)
    return `too little is seen in ${minutes(first.atMs)} with ${first.canaryPods} canary pods`;
  const sooner = others
    .filter(({ sameAfterMs }) => sameAfterMs !== undefined && sameAfterMs < first.atMs)
    .map(({ sameAfterMs = 0, canaryPods }) => `, ${minutes(sameAfterMs)} with ${canaryPods}`);
  return `sees ${seen} in ${minutes(first.atMs)} with ${first.canaryPods} canary pods${sooner.join('')}`;
}

/** "≥ 7.2 ms of P99 or ≥ 1.2 % of CPU"; undefined when nothing is seen. */
export function powerText({ latency, cpu }: Power): string | undefined {
  const slowest = highestQuantile(latency);
  const parts = [
    ...(slowest === undefined ? [] : [`≥ ${digits(slowest.ms)} ms of P${quantileOf(slowest)}`]),
    ...(cpu === undefined ? [] : [`≥ ${digits(cpu * 100)} % of CPU`]),
  ];
  return parts.length === 0 ? undefined : parts.join(' or ');
}

/** What a reader asks for first. */
export const highestQuantile = (latency: readonly LatencyPower[]): LatencyPower | undefined =>
  latency.toSorted((a, b) => Number(quantileOf(b)) - Number(quantileOf(a)))[0];

const quantileOf = ({ check }: LatencyPower): string => check.slice('latency.p'.length);

const digits = (value: number): string =>
  value >= 10 ? value.toFixed(0) : String(Number(value.toPrecision(2)));

/** Halves are looks. */
const minutes = (ms: number): string => `${Number((ms / 60_000).toFixed(1))} min`;
