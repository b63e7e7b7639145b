/** flamegate_ingest_*: what came in, what was refused, what the store holds. Labels are bounded: codes and outcomes. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { WindowStore } from '../../store/window-store.ts';
import type { RefusalCode } from './refusal.ts';

export interface IngestMetrics {
  batch(outcome: 'stored' | 'duplicate', seconds: number): void;
  windows(outcome: 'stored' | 'leftOut' | 'unknownPod', count: number): void;
  refused(code: RefusalCode): void;
  pollers(count: number): void;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export function ingestMetrics(registry: Registry, store: WindowStore): IngestMetrics {
  const registers = [registry];
  const batches = new Counter({
    name: 'flamegate_ingest_batches_total',
    help: 'Batches accepted, new or sent again.',
    labelNames: ['outcome'],
    registers,
  });
  const windows = new Counter({
    name: 'flamegate_ingest_windows_total',
    help: 'Windows in accepted batches, by what became of them.',
    labelNames: ['outcome'],
    registers,
  });
  const refused = new Counter({
    name: 'flamegate_ingest_refused_total',
    help: 'Requests refused, by error code.',
    labelNames: ['code'],
    registers,
  });
  const seconds = new Histogram({
    name: 'flamegate_ingest_batch_seconds',
    help: 'Time from the whole body to the commit.',
    buckets: SECONDS,
    registers,
  });
  const pollers = new Gauge({
    name: 'flamegate_ingest_assignment_pollers',
    help: 'Agents waiting for another assignment.',
    registers,
  });
  storeGauges(registry, store);
  return {
    batch(outcome, took) {
      batches.inc({ outcome });
      seconds.observe(took);
    },
    windows: (outcome, count) => windows.inc({ outcome }, count),
    refused: (code) => refused.inc({ code }),
    pollers: (count) => pollers.set(count),
  };
}

function storeGauges(registry: Registry, store: WindowStore): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('flamegate_ingest_store_windows', 'Windows on disk.', () => store.stats().windows);
  gauge('flamegate_ingest_store_bytes', 'Bytes used by the store.', () => store.stats().bytes);
  gauge(
    'flamegate_ingest_store_corrupt_files',
    'Broken store files moved aside since start.',
    () => store.stats().corruptFiles,
  );
  gauge(
    'flamegate_ingest_store_windows_dropped_early',
    'Windows dropped before their age was up, for want of space, since start.',
    () => store.stats().windowsDroppedEarly,
  );
}
