/**
 * For tests: an agent's page of metrics as it would have been at each of many scrapes, for a real Prometheus to read at once. The page is
 * the agent's own code's; a scrape's time stands beside each sample, which Prometheus takes for the time it was scraped.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { PbfReader, PbfWriter } from 'pbf';
import type { Answerer } from '../../src/agent/answerer.ts';
import { PROTOBUF_TYPE, protobufOf } from '../../src/agent/exposition-protobuf.ts';
import { createMetrics } from '../../src/agent/metrics.ts';
import { type ContainerDurations, createRequestDurations } from '../../src/agent/request-durations.ts';
import type { Exchange } from '../../src/requests/exchange.ts';
import { BUCKET_WIDTH, eachBucket } from '../../src/requests/latency-sketch.ts';
import type { RouteWindow } from '../../src/requests/request-window.ts';
import type { Lifetime } from './prometheus.ts';

export interface ServedAgent {
  readonly port: number;
  stop(): void;
}

export class ReplayedAgent {
  #nowMs = 0;
  readonly durations = createRequestDurations(
    () => 0,
    () => this.#nowMs,
  );
  readonly #metrics = createMetrics(this.durations);
  readonly #pages: Buffer[] = [];

  begin(answerer: Answerer, atMs: number): ContainerDurations {
    this.#nowMs = atMs;
    return this.durations.begin(() => answerer);
  }

  scrape(atMs: number): void {
    const page = Buffer.concat(
      [...protobufOf(this.#metrics.families())].map((piece) => Buffer.from(piece, 'latin1')),
    );
    this.#pages.push(stamped(page, atMs));
  }

  /** Serves all scrapes so far, again and again: who is too slow gets them at the next try. */
  async serve(t: Lifetime): Promise<ServedAgent> {
    const page = Buffer.concat(this.#pages);
    const server = createServer((_, response) => {
      response.setHeader('content-type', PROTOBUF_TYPE);
      response.end(page);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const stop = (): void => {
      server.closeAllConnections();
      server.close();
    };
    t.after(stop);
    const address = server.address();
    return { port: typeof address === 'object' && address !== null ? address.port : 0, stop };
  }
}

/** Adds the requests of a row, each in the middle of its bucket. */
export function addRow(to: ContainerDurations, row: RouteWindow): void {
  const as = { method: row.method, label: { route: row.route, byPattern: row.byPattern === true } };
  const add = (fields: Pick<Exchange, 'status' | 'outcome'>, key: number): void => {
    const latencyNs = Math.exp((key - 0.5) * BUCKET_WIDTH) * 1_000;
    to.add({ method: row.method, path: row.route, latencyNs, ...fields }, as);
  };
  eachBucket(row.latency, (key, count) => {
    for (let at = 0; at < count; at++) add({ status: 200, outcome: 'Completed' }, key);
  });
  for (let at = 0; at < row.answers[5]; at++) add({ status: 503, outcome: 'Completed' }, 300);
}

const TIMESTAMP = 6; // of io.prometheus.client.Metric
const METRICS = 4; // of MetricFamily

function stamped(page: Uint8Array, atMs: number): Buffer {
  const stamp = new PbfWriter();
  stamp.writeVarintField(TIMESTAMP, atMs);
  const after = Buffer.from(stamp.finish());
  const families: Buffer[] = [];
  for (const reader = new PbfReader(page); reader.pos < page.length; ) {
    const family = new PbfWriter();
    new PbfReader(reader.readBytes()).readFields((tag, to, field) => {
      if (tag === METRICS) to.writeBytesField(tag, Buffer.concat([field.readBytes(), after]));
      else if (tag === 3) to.writeVarintField(tag, field.readVarint());
      else to.writeStringField(tag, field.readString());
    }, family);
    const bytes = Buffer.from(family.finish());
    const length = new PbfWriter();
    length.writeVarint(bytes.length);
    families.push(Buffer.from(length.finish()), bytes);
  }
  return Buffer.concat(families);
}
