/** A gate's spec as numbers. Pure. */
import { parseDurationMs, parsePercentage } from '../../crds/quantities.ts';
import type { RegressionGateSpec } from '../../crds/regression-gate.ts';
import type { CpuSettings } from '../../detect/verdict.ts';

/** Throws a QuantityError for a duration or percentage that is none; the schema refuses those at apply. */
export const gateSettings = ({ checks, falseFailureRate, duration }: RegressionGateSpec): CpuSettings => ({
  functionMargin: parsePercentage(checks.cpu.function.margin),
  falseFailureRate: parsePercentage(falseFailureRate),
  minDurationMs: parseDurationMs(duration.min),
  deadlineMs: parseDurationMs(duration.deadline),
  warmUpMs: parseDurationMs(duration.warmUp),
});
