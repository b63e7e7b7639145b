/** For tests: a real OpenTelemetry Collector on loopback, which tells what spans, metrics and profiles it took. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { freePort } from '../free-port.ts';
import { until } from '../prometheus/prometheus.ts';
import { type Exported, exportedMetrics, exportedProfiles } from './exported.ts';

export interface RunningCollector {
  readonly endpoint: string;
  /** As the exporter `debug` prints them: a line for each field. */
  spans(): readonly ReadonlyMap<string, string>[];
  /** What its exporter sent on, by OTLP in JSON, before whoever sent it was answered. */
  exported(): Exported;
}

const BUILD = fileURLToPath(new URL('build.sh', import.meta.url));

export async function aCollector(t: TestContext): Promise<RunningCollector> {
  const binary = join(execFileSync(BUILD, { encoding: 'utf8' }).trim(), 'flamegate-collector');
  const port = await freePort();
  const destination = await aDestination(t);
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: {
      debug: { verbosity: 'detailed' },
      otlp_http: {
        ...{ endpoint: destination.endpoint, encoding: 'json', compression: 'none' },
        ...{ sending_queue: { enabled: false }, retry_on_failure: { enabled: false } },
      },
    },
    service: {
      pipelines: {
        traces: { receivers: ['otlp'], exporters: ['debug'] },
        metrics: { receivers: ['otlp'], exporters: ['otlp_http'] },
        profiles: { receivers: ['otlp'], exporters: ['otlp_http'] },
      },
      telemetry: { metrics: { level: 'none' } },
    },
  };
  const args = ['--feature-gates=service.profilesSupport', '--config', `yaml:${JSON.stringify(config)}`];
  const child = spawn(binary, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  });
  await until('the collector is ready', async () => {
    assert.equal(child.exitCode, null, said);
    return said.includes('Everything is ready') || undefined;
  });
  return { endpoint: `http://127.0.0.1:${port}`, spans: () => spansIn(said), exported: destination.exported };
}

/** Takes what the collector exports, and says yes. */
async function aDestination(t: TestContext) {
  const requests: { readonly path: string; readonly body: unknown }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const sent = Buffer.concat(chunks);
      const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      requests.push({ path: request.url ?? '', body: JSON.parse(text.toString('utf8')) });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const bodies = (path: string) =>
    requests.filter((request) => request.path === path).map(({ body }) => body);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    exported: (): Exported => ({
      metrics: bodies('/v1/metrics').flatMap((body) => exportedMetrics(body as never)),
      profiles: bodies('/v1development/profiles').flatMap((body) => exportedProfiles(body as never)),
    }),
  };
}

/** `Span #0`, then `    Trace ID       : 0af7…` and, of attributes, `     -> http.route: Str(/orders/{id})`. */
function spansIn(text: string): readonly ReadonlyMap<string, string>[] {
  return text
    .split(/^Span #\d+$/m)
    .slice(1)
    .map((span) => {
      const fields = span.matchAll(/^ +(?:-> )?([\w. ]+?) *: ?(?:(?:Str|Int)\((.*)\)|(.*))$/gm);
      return new Map(Array.from(fields, ([, name = '', typed, plain]) => [name, typed ?? plain ?? '']));
    });
}
