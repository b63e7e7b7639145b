/** The agent's page of metrics as OTLP has it: what a container served belongs to a resource of its own, the rest to the agent's. Pure. */
import { SCHEMA } from '../requests/duration-histogram.ts';
import type { OtlpAttributes } from '../sinks/otlp-fields.ts';
import type {
  OtlpExponential,
  OtlpHistogram,
  OtlpMetric,
  OtlpNumber,
  OtlpResource,
} from '../sinks/otlp-metrics.ts';
import { otlpAttributes, otlpName } from '../sinks/otlp-names.ts';
import type { MetricsSink } from '../wire/sinks.ts';
import type { Family, HistogramSample, Labels, NumberSample } from './exposition.ts';
import { ZERO_THRESHOLD } from './exposition-protobuf.ts';

export interface OtlpPageOptions {
  readonly histograms: MetricsSink['histograms'];
  /** Of the agent's own resource. */
  readonly attributes: OtlpAttributes;
}

export function otlpPage(families: Iterable<Family>, options: OtlpPageOptions): readonly OtlpResource[] {
  const resources = new Map<string, { attributes: OtlpAttributes; metrics: OtlpMetric[] }>();
  for (const family of families) {
    for (const { resource, metric } of metricsOf(family, options)) {
      const key = JSON.stringify(resource);
      const known = resources.get(key);
      if (known === undefined) resources.set(key, { attributes: resource, metrics: [metric] });
      else known.metrics.push(metric);
    }
  }
  return [...resources.values()];
}

interface MetricOf {
  readonly resource: OtlpAttributes;
  readonly metric: OtlpMetric;
}

function metricsOf(family: Family, { histograms, attributes: own }: OtlpPageOptions): readonly MetricOf[] {
  const name = otlpName(family.name, family.help);
  switch (family.kind) {
    case 'counter':
      return byResource(family.samples, own, number).map(({ resource, points }) => ({
        resource,
        metric: { ...name, kind: 'Sum', points },
      }));
    case 'gauge':
      return byResource(family.samples, own, number).map(({ resource, points }) => ({
        resource,
        metric: { ...name, kind: 'Gauge', points },
      }));
    case 'histogram':
      return histograms === 'Native'
        ? byResource(family.samples, own, exponential).map(({ resource, points }) => ({
            resource,
            metric: { ...name, kind: 'ExponentialHistogram', points },
          }))
        : byResource(family.samples, own, classic).map(({ resource, points }) => ({
            resource,
            metric: { ...name, kind: 'Histogram', points },
          }));
  }
}

function byResource<Sample extends { readonly labels: Labels }, Point>(
  samples: Iterable<Sample>,
  own: OtlpAttributes,
  pointOf: (sample: Sample, attributes: OtlpAttributes) => Point,
): readonly { readonly resource: OtlpAttributes; readonly points: readonly Point[] }[] {
  const found = new Map<string, { resource: OtlpAttributes; points: Point[] }>();
  for (const sample of samples) {
    const { resource = own, attributes } = split(otlpAttributes(sample.labels));
    const key = JSON.stringify(resource);
    const known = found.get(key) ?? { resource, points: [] };
    found.set(key, known);
    known.points.push(pointOf(sample, attributes));
  }
  return [...found.values()];
}

const POD = 'k8s.pod.name';
const CONTAINER = 'k8s.container.name';
const WORKLOAD = /^k8s\.(?:deployment|statefulset|daemonset|replicaset|job)\.name$/;

/** Where a container is named, what names it belongs to the service in it. */
function split(labels: OtlpAttributes): { resource?: OtlpAttributes; attributes: OtlpAttributes } {
  const pod = labels[POD];
  if (pod === undefined || labels[CONTAINER] === undefined) return { attributes: labels };
  const entries = Object.entries(labels);
  const ofResource = entries.filter(([name]) => name.startsWith('k8s.'));
  const workload = ofResource.find(([name]) => WORKLOAD.test(name))?.[1];
  return {
    resource: { 'service.name': workload ?? pod, ...Object.fromEntries(ofResource) },
    attributes: Object.fromEntries(entries.filter(([name]) => !name.startsWith('k8s.'))),
  };
}

const number = ({ value }: NumberSample, attributes: OtlpAttributes): OtlpNumber => ({ attributes, value });

function classic({ histogram }: HistogramSample, attributes: OtlpAttributes): OtlpHistogram {
  const { count, sum, bounds, classic: counts } = histogram;
  return { attributes, count, sum, bounds, counts: [...counts] };
}

/** Prometheus' bucket of a number ends where OpenTelemetry's of that number begins. */
function exponential({ histogram }: HistogramSample, attributes: OtlpAttributes): OtlpExponential {
  const counts: number[] = [];
  let offset = 0;
  histogram.eachNative((index, count) => {
    if (counts.length === 0) offset = index - 1;
    while (offset + counts.length < index - 1) counts.push(0);
    counts.push(count);
  });
  const { count, sum } = histogram;
  return { attributes, count, sum, scale: SCHEMA, offset, counts, zeroThreshold: ZERO_THRESHOLD };
}
