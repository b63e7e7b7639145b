/** What containers read, wrote and synced since they are asked about, for Prometheus: as many series as there are containers. */
import { IO_KINDS, type IoTotal } from '../profile/io-window.ts';
import type { Batch, PodWindow } from '../wire/batch-schema.ts';
import { answererAttributes } from './answerer.ts';
import type { Labels, NumberSample } from './exposition.ts';

export type IoFigure = 'calls' | 'failed' | 'bytes' | 'ns';

export interface IoSeries {
  /** Of a window that was closed; series of containers that are not in it go. */
  add(batch: Batch): void;
  samples(figure: IoFigure): Iterable<NumberSample>;
}

interface ContainerTotals {
  readonly labels: Labels;
  readonly totals: Map<IoTotal['kind'], Record<IoFigure, number>>;
}

export function createIoSeries(): IoSeries {
  const containers = new Map<string, ContainerTotals>();
  return {
    add({ pods }) {
      const asked = pods.filter(({ io }) => io !== undefined);
      const ids = new Set(asked.map(({ containerId }) => containerId));
      for (const id of containers.keys()) if (!ids.has(id)) containers.delete(id);
      for (const pod of asked) {
        const known = containers.get(pod.containerId) ?? { labels: labelsOf(pod), totals: new Map() };
        containers.set(pod.containerId, known);
        for (const total of pod.io?.totals ?? []) addTo(known, total);
      }
    },
    *samples(figure) {
      for (const { labels, totals } of containers.values()) {
        for (const kind of IO_KINDS) {
          const value = totals.get(kind)?.[figure];
          if (value !== undefined) yield { labels: { ...labels, kind }, value };
        }
      }
    },
  };
}

function addTo({ totals }: ContainerTotals, { kind, calls, failed, bytes, ns }: IoTotal): void {
  const sum = totals.get(kind) ?? { calls: 0, failed: 0, bytes: 0, ns: 0 };
  sum.calls += calls;
  sum.failed += failed;
  sum.bytes += bytes;
  sum.ns += ns;
  totals.set(kind, sum);
}

const labelsOf = ({ namespace, pod, podUid, container }: PodWindow): Labels =>
  Object.fromEntries(
    Object.entries(answererAttributes({ namespace, pod, podUid, container })).map(([name, value]) => [
      name.replaceAll('.', '_'),
      value,
    ]),
  );
