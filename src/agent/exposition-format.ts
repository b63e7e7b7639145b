/** Which format a page is in: what the reader asks for in its Accept header. */
import type { Family } from './exposition.ts';
import { PROTOBUF_TYPE, protobufOf } from './exposition-protobuf.ts';
import { OPEN_METRICS_TYPE, openMetricsOf, TEXT_TYPE, textOf } from './exposition-text.ts';

export interface ExpositionFormat {
  readonly contentType: string;
  readonly encoding: 'utf8' | 'latin1';
  pieces(families: Iterable<Family>): Iterable<string>;
}

const TEXT: ExpositionFormat = { contentType: TEXT_TYPE, encoding: 'utf8', pieces: textOf };
/** What Prometheus asks for first otherwise: it has exemplars. */
const OPEN_METRICS: ExpositionFormat = {
  contentType: OPEN_METRICS_TYPE,
  encoding: 'utf8',
  pieces: openMetricsOf,
};
/** Where Prometheus takes native histograms (`--enable-feature=native-histograms`, `scrape_native_histograms`), it asks for this first. */
const PROTOBUF: ExpositionFormat = { contentType: PROTOBUF_TYPE, encoding: 'latin1', pieces: protobufOf };

const MOST_RANGES = 32; // Prometheus sends five

export function formatFor(accept: string | undefined): ExpositionFormat {
  const ranges = (accept ?? '').split(',', MOST_RANGES).map(parseRange);
  const weightOf = (fits: (range: MediaRange) => boolean): number =>
    Math.max(0, ...ranges.filter(fits).map(({ weight }) => weight));
  const protobuf = weightOf(
    ({ type, parameters }) =>
      type === 'application/vnd.google.protobuf' &&
      parameters.get('proto') === 'io.prometheus.client.MetricFamily' &&
      parameters.get('encoding') === 'delimited',
  );
  const openMetrics = weightOf(
    ({ type, parameters }) =>
      type === 'application/openmetrics-text' && (parameters.get('version') ?? '1.0.0') === '1.0.0',
  );
  const text = weightOf(({ type }) => type === 'text/plain');
  if (protobuf > 0 && protobuf >= Math.max(openMetrics, text)) return PROTOBUF;
  return openMetrics > 0 && openMetrics >= text ? OPEN_METRICS : TEXT;
}

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly weight: number;
}

/** RFC 9110 §12.5.1, as far as anybody needs it who reads metrics. */
function parseRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters = new Map(
    rest.map((part) => {
      const [name = '', value = ''] = part.split('=', 2);
      return [name.trim().toLowerCase(), value.trim()] as const;
    }),
  );
  const weight = Number(parameters.get('q') ?? 1);
  return { type: type.toLowerCase(), parameters, weight: weight >= 0 && weight <= 1 ? weight : 0 };
}
