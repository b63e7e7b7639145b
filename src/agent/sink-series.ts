/** What became of what goes to sinks, for Prometheus. Pure. */
import type { SinkReport } from '../wire/sinks.ts';
import type { NumberSample } from './exposition.ts';

export function* sinkItems(reports: readonly SinkReport[]): Iterable<NumberSample> {
  for (const report of reports) {
    for (const result of ['sent', 'refused', 'lost'] as const)
      yield { labels: { sink: report.name, result }, value: report[result] };
  }
}

export function* sinkFailing(reports: readonly SinkReport[]): Iterable<NumberSample> {
  for (const { name, failing } of reports) {
    yield { labels: { sink: name }, value: failing === undefined ? 0 : 1 };
  }
}
