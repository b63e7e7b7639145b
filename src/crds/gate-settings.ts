/** A gate's spec as numbers, in the form src/detect takes: for the controller, and for whoever judges again. */
import { parseDurationMs, parseLatencyMs, parsePercentage } from './quantities.ts';
import { QUANTILES, type RegressionGateSpec } from './regression-gate.ts';

/** Throws a QuantityError for a duration or percentage that is none; the schema refuses those at apply. */
export const gateSettings = ({ checks, falseFailureRate, duration }: RegressionGateSpec) => ({
  functionMargin: parsePercentage(checks.cpu.function.margin),
  falseFailureRate: parsePercentage(falseFailureRate),
  minDurationMs: parseDurationMs(duration.min),
  deadlineMs: parseDurationMs(duration.deadline),
  warmUpMs: parseDurationMs(duration.warmUp),
  requests: requestSettings(checks),
});

const requestSettings = ({ cpu, latency, errors }: RegressionGateSpec['checks']) => ({
  latency: latency.map(({ quantile, margin, required }) => ({
    quantile: QUANTILES[quantile],
    relativeMargin: margin.relative === undefined ? 0 : parsePercentage(margin.relative),
    absoluteMarginMs: margin.absolute === undefined ? 0 : parseLatencyMs(margin.absolute),
    required,
  })),
  errors: { margin: parsePercentage(errors.margin), required: errors.required },
  cost: { margin: parsePercentage(cpu.perRequest.margin), decides: cpu.perRequest.decides },
});
