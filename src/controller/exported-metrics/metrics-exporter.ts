/** Sends the controller's page of metrics by OTLP, each half a minute, to the sinks of the settings that take it so. */
import { isDeepStrictEqual } from 'node:util';
import type { Registry } from 'prom-client';
import { createDelivery, type Delivery } from '../../sinks/delivery.ts';
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

interface OpenSink {
  readonly address: MetricsSink;
  readonly delivery: Delivery<Uint8Array>;
}

export function startMetricsExporter(options: MetricsExporterOptions): MetricsExporter {
  const { registry, now, log } = options;
  const startMs = now();
  const open = new Map<string, OpenSink>();
  const attributes = {
    ...{ 'service.name': 'flamegate-controller', 'service.instance.id': options.instance },
    'k8s.namespace.name': options.namespace,
  };
  const close = async (name: string, last: AbortSignal): Promise<void> => {
    const sink = open.get(name);
    open.delete(name);
    await sink?.delivery.stop(last);
  };
  const openAsNamed = () => {
    const wanted = options.sinks().filter(({ kind }) => kind === 'Otlp');
    for (const [name, { address }] of open) {
      const isSame = wanted.some((sink) => isDeepStrictEqual(sink, address));
      if (!isSame) void close(name, AbortSignal.abort()); // it ends at once, and throws nothing
    }
    for (const address of wanted)
      if (!open.has(address.name)) open.set(address.name, opened(address, options));
  };
  const write = async (): Promise<void> => {
    openAsNamed();
    if (open.size === 0) return;
    const metrics = registryPage(await registry.getMetricsAsJSON());
    for (const request of otlpMetrics([{ attributes, metrics }], { startMs, nowMs: now() })) {
      const packed = await packedForOtlp(request);
      for (const { delivery } of open.values()) delivery.add(packed);
    }
  };
  let writing = Promise.resolve();
  const writeNext = () => {
    writing = writing.then(write).catch((err: unknown) => log.warn({ err }, 'metrics not written'));
  };
  const timer = setInterval(writeNext, options.everyMs ?? EVERY_MS);
  openAsNamed();
  return {
    reports: () => [...open].map(([name, { delivery }]) => ({ name, ...delivery.report() })),
    async stop() {
      clearInterval(timer);
      writeNext();
      await writing;
      const last = AbortSignal.timeout(LAST_MS);
      await Promise.all([...open.keys()].map((name) => close(name, last)));
    },
  };
}

function opened(address: MetricsSink, { credentialsDirectory, log, now }: MetricsExporterOptions): OpenSink {
  const delivery = createDelivery<Uint8Array>({
    ...{ limits: OTLP_METRICS_LIMITS, now, random: Math.random },
    bytesOf: ({ length }) => length,
    send: ([request = new Uint8Array()], signal) =>
      sendByOtlp({ address, credentialsDirectory }, 'metrics', request, signal),
    failed: (reason) => log.warn({ sink: address.name, reason }, 'metrics not written'),
  });
  delivery.start();
  return { address, delivery };
}
