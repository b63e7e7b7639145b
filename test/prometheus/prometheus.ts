/** For tests: a real Prometheus and a real Alertmanager on loopback, as Debian packages them, with nothing kept. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../free-port.ts';

/** A test, or a suite that ends what its tests share. */
export interface Lifetime {
  after(end: () => void | Promise<void>): void;
}

export interface PrometheusOptions {
  /** Pages to read once a second: host and port, or a port on loopback. */
  readonly targets: readonly (string | number)[];
  /** Has it take native histograms, for which it asks for protobuf. */
  readonly nativeHistograms?: boolean;
  /** Takes what is written to it, at /api/v1/write. */
  readonly remoteWrite?: boolean;
  readonly ruleFiles?: readonly string[];
  readonly alertmanager?: number;
}

export interface RunningPrometheus {
  readonly port: number;
  /** Values of an instant query, by the labels that `by` names. */
  query(expression: string, ...by: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Exemplars of the last minutes, of each series that the expression selects. */
  exemplars(expression: string): Promise<readonly SeriesExemplar[]>;
}

export interface SeriesExemplar {
  readonly series: Readonly<Record<string, string>>;
  readonly exemplar: Exemplar;
}

export interface Exemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** In seconds. */
  readonly timestamp: number;
}

export async function aPrometheus(t: Lifetime, options: PrometheusOptions): Promise<RunningPrometheus> {
  const directory = aDirectory(t);
  const port = await freePort();
  const every = '1s';
  const on = (targets: PrometheusOptions['targets']) => [
    { targets: targets.map((each) => (typeof each === 'string' ? each : `127.0.0.1:${each}`)) },
  ];
  const config = {
    global: { scrape_interval: every, evaluation_interval: every },
    scrape_configs: [{ job_name: 'test', static_configs: on(options.targets) }],
    rule_files: options.ruleFiles ?? [],
    ...(options.alertmanager === undefined
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: on([options.alertmanager]) }] } }),
  };
  writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config)); // JSON is YAML
  const features = ['exemplar-storage', ...(options.nativeHistograms ? ['native-histograms'] : [])];
  await started(t, port, 'prometheus', [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    `--enable-feature=${features.join(',')}`,
    ...(options.remoteWrite ? ['--web.enable-remote-write-receiver'] : []),
  ]);
  return {
    port,
    async query(expression, ...by) {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
      const { status, data, error } = (await (await fetch(url)).json()) as QueryAnswer;
      assert.equal(status, 'success', error);
      return new Map(
        (data?.result ?? []).map(({ metric, value }) => [
          by.map((name) => metric[name] ?? '').join(' '),
          Number(value?.[1]),
        ]),
      );
    },
    async exemplars(expression) {
      const nowS = Date.now() / 1_000;
      const range = `start=${nowS - 600}&end=${nowS + 60}`;
      const url = `http://127.0.0.1:${port}/api/v1/query_exemplars?query=${encodeURIComponent(expression)}&${range}`;
      const { status, data, error } = (await (await fetch(url)).json()) as ExemplarsAnswer;
      assert.equal(status, 'success', error);
      return (data ?? []).flatMap(({ seriesLabels, exemplars }) =>
        exemplars.map(({ labels, value, timestamp }) => ({
          series: seriesLabels,
          exemplar: { labels, value: Number(value), timestamp },
        })),
      );
    },
  };
}

interface ExemplarsAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data?: readonly {
    readonly seriesLabels: Readonly<Record<string, string>>;
    readonly exemplars: readonly {
      readonly labels: Readonly<Record<string, string>>;
      readonly value: string;
      readonly timestamp: number;
    }[];
  }[];
}

interface QueryAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value?: readonly [number, string];
    }[];
  };
}

export interface RunningAlertmanager {
  readonly port: number;
  /** Labels of the alerts that are active. */
  active(): Promise<readonly Readonly<Record<string, string>>[]>;
}

export async function anAlertmanager(t: Lifetime, configFile: string): Promise<RunningAlertmanager> {
  const port = await freePort();
  await started(t, port, 'prometheus-alertmanager', [
    `--config.file=${configFile}`,
    `--storage.path=${aDirectory(t)}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=', // no gossip: nothing but loopback is listened on
  ]);
  return {
    port,
    async active() {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v2/alerts?active=true`);
      const alerts = (await answer.json()) as readonly { readonly labels: Record<string, string> }[];
      return alerts.map(({ labels }) => labels);
    },
  };
}

/** Polls for half a minute at most, until it returns something; `false` is nothing. */
export async function until<T>(what: string, probe: () => Promise<T | false | undefined>): Promise<T> {
  for (const end = Date.now() + 30_000; Date.now() < end; await delay(200)) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`not within 30 s: ${what}`);
}

async function started(t: Lifetime, port: number, program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000);
  });
  t.after(() => ended(child));
  await once(child, 'spawn');
  await until(`${program} is ready`, async () => {
    assert.equal(child.exitCode, null, said);
    return (await isReady(port)) || undefined;
  });
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok;
  } catch {
    return false; // it does not listen yet
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

function aDirectory(t: Lifetime): string {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-prometheus-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
