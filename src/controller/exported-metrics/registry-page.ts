/** The controller's page of metrics, as prom-client has it, for OTLP. Pure. */
import type { MetricObjectWithValues, MetricValue, MetricValueWithName } from 'prom-client';
import type { OtlpHistogram, OtlpMetric } from '../../sinks/otlp-metrics.ts';
import { otlpAttributes, otlpName } from '../../sinks/otlp-names.ts';

type Metric = MetricObjectWithValues<MetricValue<string>>;

/** Summaries are left out: nothing here is one but what Node tells of its loop, whose gauges say the same. */
export function registryPage(metrics: readonly Metric[]): readonly OtlpMetric[] {
  return metrics.flatMap((metric): readonly OtlpMetric[] => {
    const { values } = metric;
    const name = otlpName(metric.name, metric.help);
    const numbers = () =>
      values.map(({ labels, value }) => ({ attributes: otlpAttributes(known(labels)), value }));
    // its types say numbers, its JSON has words
    switch (String(metric.type)) {
      case 'counter':
        return values.length === 0 ? [] : [{ ...name, kind: 'Sum', points: numbers() }];
      case 'gauge':
        return values.length === 0 ? [] : [{ ...name, kind: 'Gauge', points: numbers() }];
      case 'histogram':
        return [{ ...name, kind: 'Histogram', points: histogramsIn(values) }];
      default:
        return [];
    }
  });
}

type Labels = Readonly<Record<string, string | number>>;

const known = (labels: Partial<Record<string, string | number>>): Labels =>
  Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

interface OpenHistogram {
  readonly labels: Labels;
  /** By upper bound, of all that is below it. */
  readonly below: Map<number, number>;
  count: number;
  sum: number;
}

/** Its series are one list: a bucket with `le`, `…_sum` and `…_count` of each set of labels. */
function histogramsIn(values: readonly MetricValueWithName<string>[]): readonly OtlpHistogram[] {
  const open = new Map<string, OpenHistogram>();
  for (const { labels, value, metricName = '' } of values) {
    const { le, ...own } = known(labels);
    const key = JSON.stringify(own);
    const histogram = open.get(key) ?? { labels: own, below: new Map<number, number>(), count: 0, sum: 0 };
    open.set(key, histogram);
    if (metricName.endsWith('_sum')) histogram.sum = value;
    else if (metricName.endsWith('_count')) histogram.count = value;
    else if (le !== undefined)
      histogram.below.set(le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value);
  }
  return [...open.values()].map(({ labels, below, count, sum }) => {
    const rising = [...below].sort(([a], [b]) => a - b);
    return {
      ...{ attributes: otlpAttributes(labels), count, sum },
      bounds: rising.map(([bound]) => bound).filter(Number.isFinite),
      counts: rising.map(([, value], at) => value - (rising[at - 1]?.[1] ?? 0)),
    };
  });
}
