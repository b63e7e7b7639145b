/** For tests: a real OpenTelemetry Collector on loopback, which tells what spans it took. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, until } from '../prometheus/prometheus.ts';

export interface RunningCollector {
  readonly endpoint: string;
  /** As the exporter `debug` prints them: a line for each field. */
  spans(): readonly ReadonlyMap<string, string>[];
}

const BUILD = fileURLToPath(new URL('build.sh', import.meta.url));

export async function aCollector(t: TestContext): Promise<RunningCollector> {
  const binary = execFileSync(BUILD, { encoding: 'utf8' }).trim();
  const port = await freePort();
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: { debug: { verbosity: 'detailed' } },
    service: {
      pipelines: { traces: { receivers: ['otlp'], exporters: ['debug'] } },
      telemetry: { metrics: { level: 'none' } },
    },
  };
  const child = spawn(binary, ['--config', `yaml:${JSON.stringify(config)}`], {
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
  return { endpoint: `http://127.0.0.1:${port}`, spans: () => spansIn(said) };
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
