/** What a gate asks of requests. */
export interface RequestSettings {
  readonly latency: readonly LatencySettings[];
  readonly errors?: ErrorSettings;
  readonly cost?: CostSettings;
}

export interface LatencySettings {
  /** 0.99: all but the slowest hundredth. */
  readonly quantile: number;
  /** Growth that is tolerated: the larger of the two counts. */
  readonly relativeMargin: number;
  readonly absoluteMarginMs: number;
  /** Whether nothing passes while requests cannot be seen. */
  readonly required: boolean;
}

export interface ErrorSettings {
  /** Tolerated growth of the failed part of requests: 0.005 is half a request in a hundred. */
  readonly margin: number;
  readonly required: boolean;
}

export interface CostSettings {
  /** Tolerated growth of CPU a request, as a part of it. */
  readonly margin: number;
  /** False: it is reported, and decides nothing. */
  readonly decides: boolean;
}

export const COST = 'cpu.perRequest';
export const ERRORS = 'errors';
/** `latency.p99`, `latency.p99.9`. */
export const latencyCheckName = ({ quantile }: LatencySettings): string =>
  `latency.p${Number((quantile * 100).toFixed(3))}`;

// Of the gate's false failures: 0.4 are the functions', the rest is left to what is compared in total.
const LATENCY_PART = 0.4;
const ERROR_PART = 0.1;
const COST_PART = 0.1;

// Of the quantiles' part, the highest one's where there are others, and what the others share: few requests tell of a tail, all of them of
// the middle, which loses next to nothing by a smaller level. There pods are all of the noise, which a second look does not take
// away, so that the bound (latency-evidence.ts) is met as often as its level says: four times what it is given.
const HIGHEST_PART = 0.8;
const OTHERS_PART = 0.05;

/** Each quantile is a test of its own, and gets its part of what latency may spend; so it does of what CPU in total leaves it. */
export function latencyAlpha(
  falseFailureRate: number,
  { latency, cost }: RequestSettings,
  { quantile }: Pick<LatencySettings, 'quantile'>,
): number {
  const part = cost?.decides === true ? LATENCY_PART : LATENCY_PART + COST_PART;
  const highest = Math.max(...latency.map((each) => each.quantile));
  if (latency.length <= 1) return falseFailureRate * part;
  const own = quantile === highest ? HIGHEST_PART : OTHERS_PART / (latency.length - 1);
  return falseFailureRate * part * own;
}

export const costAlpha = (falseFailureRate: number): number => falseFailureRate * COST_PART;
export const errorAlpha = (falseFailureRate: number): number => falseFailureRate * ERROR_PART;
