/** A gate's spec as numbers. Pure. */
import { parseDurationMs, parseLatencyMs, parsePercentage } from '../../crds/quantities.ts';
import { QUANTILES, type RegressionGateSpec } from '../../crds/regression-gate.ts';
import type { GateSettings } from '../../detect/gate-evaluation.ts';
import type { RequestSettings } from '../../detect/request-settings.ts';

/** Throws a QuantityError for a duration or percentage that is none; the schema refuses those at apply. */
export const gateSettings = ({ checks, falseFailureRate, duration }: RegressionGateSpec): GateSettings => ({
  functionMargin: parsePercentage(checks.cpu.function.margin),
  falseFailureRate: parsePercentage(falseFailureRate),
  minDurationMs: parseDurationMs(duration.min),
  deadlineMs: parseDurationMs(duration.deadline),
  warmUpMs: parseDurationMs(duration.warmUp),
  requests: requestSettings(checks),
});

const requestSettings = ({ cpu, latency, errors }: RegressionGateSpec['checks']): RequestSettings => ({
  latency: latency.map(({ quantile, margin, required }) => ({
    quantile: QUANTILES[quantile],
    relativeMargin: margin.relative === undefined ? 0 : parsePercentage(margin.relative),
    absoluteMarginMs: margin.absolute === undefined ? 0 : parseLatencyMs(margin.absolute),
    required,
  })),
  errors: { margin: parsePercentage(errors.margin), required: errors.required },
  cost: { margin: parsePercentage(cpu.perRequest.margin), decides: cpu.perRequest.decides },
});
