/**
 * The normal-mixture e-process with a random-effect null. An estimate d = A + noise is compared with a
 * null whose A ~ N(0, nullVariance) is the lottery of which pods (compiled code, node, neighbours) an arm
 * happened to get; under the alternative the drift has variance `driftVariance` > `nullVariance`. Under the
 * null the value is a martingale, so looking as often as one likes costs nothing (Ville's inequality).
 */
export interface DriftModel {
  readonly nullVariance: number;
  readonly driftVariance: number;
}

/** Log e-value of the standardised score `z` = d·√information, at information 1/(sampling variance of d). */
export function logEValue(z: number, information: number, model: DriftModel): number {
  const underNull = 1 + information * model.nullVariance;
  const underDrift = 1 + information * model.driftVariance;
  const gain = information * (model.driftVariance - model.nullVariance);
  return 0.5 * Math.log(underNull / underDrift) + (0.5 * z * z * gain) / (underNull * underDrift);
}

/**
 * How large an estimate must be, at information 1/(its sampling variance), for the e-process to reject at one-sided level `alpha`:
 * the estimate at which logEValue is ln(1 / 2·alpha).
 */
export function randomEffectHalfWidth(information: number, model: DriftModel, alpha: number): number {
  const underNull = 1 + information * model.nullVariance;
  const underDrift = 1 + information * model.driftVariance;
  const gain = information ** 2 * (model.driftVariance - model.nullVariance);
  const needed = -Math.log(2 * alpha) + 0.5 * Math.log(underDrift / underNull);
  return Math.sqrt((2 * needed * underNull * underDrift) / gain);
}

const GROWTH_DRIFT_SD = 0.3; // on the log-odds scale: a function that costs a third more
const NEW_PATH_DRIFT_SD = 2; // a function that was not there, or costs many times as much

/**
 * Log e-value for growth only: the mean of a mixture tuned to growth and one tuned to new paths, both of
 * which keep the martingale. A score at or below zero is no evidence of growth at all.
 */
export function logGrowthEValue(z: number, information: number, nullVariance: number): number {
  if (z <= 0) return Number.NEGATIVE_INFINITY;
  const grown = logEValue(z, information, {
    nullVariance,
    driftVariance: nullVariance + GROWTH_DRIFT_SD ** 2,
  });
  const fresh = logEValue(z, information, {
    nullVariance,
    driftVariance: nullVariance + NEW_PATH_DRIFT_SD ** 2,
  });
  const larger = Math.max(grown, fresh);
  return larger + Math.log((Math.exp(grown - larger) + Math.exp(fresh - larger)) / 2);
}
