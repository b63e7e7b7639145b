/** What became of what is told to sinks, for Prometheus. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { SinkReport } from '../../wire/sinks.ts';

export function exposeSinks(registry: Registry, reports: () => readonly SinkReport[]): void {
  const registers = [registry];
  new Counter({
    name: 'flamegate_sink_items_total',
    help: 'Notifications, or pages of metrics, for each sink of the settings, by what became of them: sent, refused, lost.',
    labelNames: ['sink', 'result'],
    registers,
    collect() {
      this.reset();
      for (const { name, ...report } of reports()) {
        for (const result of ['sent', 'refused', 'lost'] as const)
          this.inc({ sink: name, result }, report[result]);
      }
    },
  });
  new Gauge({
    name: 'flamegate_sink_failing',
    help: '1 while nothing goes to a sink.',
    labelNames: ['sink'],
    registers,
    collect() {
      this.reset();
      for (const { name, failing } of reports()) this.set({ sink: name }, failing === undefined ? 0 : 1);
    },
  });
}
