/** Sends the controller's page of metrics by OTLP, each half a minute, to the sinks of the settings that take it so. */
import type { Registry } from 'prom-client';
import { createDelivery } from '../../sinks/delivery.ts';
import { namedSinks } from '../../sinks/named-sinks.ts';
import { OTLP_METRICS_LIMITS, packedForOtlp, sendByOtlp } from '../../sinks/otlp.ts';
import { otlpMetrics } from '../../sinks/otlp-metrics.ts';
import type { MetricsSink, SinkReport } from '../../wire/sinks.ts';
import { registryPage } from './registry-page.ts';

export interface MetricsExporter {
  reports(): readonly SinkReport[];
  /** The page is sent once more, within two seconds. */
  stop(): Promise<void>;
}

export interface MetricsExporterOptions {
  readonly registry: Registry;
  /** As the settings name them now. */
  readonly sinks: () => readonly MetricsSink[];
  /** Of this process. */
  readonly instance: string;
  readonly namespace: string;
  readonly credentialsDirectory: string;
  readonly log: { warn(fields: object, message: string): void };
  readonly now: () => number;
  readonly everyMs?: number;
}

const EVERY_MS = 30_000;
const LAST_MS = 2_000;

export function startMetricsExporter(options: MetricsExporterOptions): MetricsExporter {
  const { registry, now, log, credentialsDirectory } = options;
  const startMs = now();
  const sinks = namedSinks<Uint8Array, MetricsSink>((address) =>
    createDelivery({
      ...{ limits: OTLP_METRICS_LIMITS, now, random: Math.random },
      bytesOf: ({ length }) => length,
      send: ([request = new Uint8Array()], signal) =>
        sendByOtlp({ address, credentialsDirectory }, 'metrics', request, signal),
      failed: (reason) => log.warn({ sink: address.name, reason }, 'metrics not written'),
    }),
  );
  const attributes = {
    ...{ 'service.name': 'flamegate-controller', 'service.instance.id': options.instance },
    'k8s.namespace.name': options.namespace,
  };
  const openAsNamed = () => sinks.be(options.sinks().filter(({ kind }) => kind === 'Otlp'));
  const write = async (): Promise<void> => {
    openAsNamed();
    if (sinks.open.size === 0) return;
    const metrics = registryPage(await registry.getMetricsAsJSON());
    for (const request of otlpMetrics([{ attributes, metrics }], { startMs, nowMs: now() })) {
      const packed = await packedForOtlp(request);
      for (const { delivery } of sinks.open.values()) delivery.add(packed);
    }
  };
  let writing = Promise.resolve();
  const writeNext = () => {
    writing = writing.then(write).catch((err: unknown) => log.warn({ err }, 'metrics not written'));
  };
  const timer = setInterval(writeNext, options.everyMs ?? EVERY_MS);
  openAsNamed();
  return {
    reports: () => [...sinks.open].map(([name, { delivery }]) => ({ name, ...delivery.report() })),
    async stop() {
      clearInterval(timer);
      writeNext();
      await writing;
      await sinks.stop(AbortSignal.timeout(LAST_MS));
    },
  };
}
