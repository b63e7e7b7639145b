/**
 * What unchanged pods show: records them under a constant load and writes the tables of docs/noise.md.
 * MINUTES (default 60) and JDKS (default "17,25"); below half an hour, and when the load starved, they are only
 * printed. Boots the cluster CLUSTER_NAME (default flamegate-noise) and takes it down; one that is up already is used
 * and left as it was, but for Flamegate itself. Ctrl-C ends the recording early, whole.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { type Load, type LoadSummary, podAddresses, startLoad } from '../scripts/demo/load.ts';
import { startSteps } from '../scripts/demo/step.ts';
import { clusterKubeconfig, eventually, getJson, kubectl } from '../test/cluster/cluster.ts';
import { installFlamegate, profilingPolicy, regressionGate } from '../test/e2e/support/install.ts';
import { applyObjects, ordersDeployment, rolledOut } from '../test/e2e/support/orders.ts';
import { machine } from './machine.ts';
import { replaceBetweenMarkers } from './marked-text.ts';
import { startTestCluster } from './test-cluster.ts';

const ROOT = resolve(import.meta.dirname, '..');
const CLI = `${ROOT}/dist/cli/main.mjs`;
const PAGE = `${ROOT}/docs/noise.md`;
const NAMESPACE = `noise-${process.pid}`;
const SELECTOR = 'app.kubernetes.io/part-of=shop';
const FREQUENCY_HZ = 49;
const HALVES = ['left', 'right'] as const;
const PODS_PER_HALF = 2;
const RATE_PER_POD = 8; // requests per second; eight pods keep two cores about half busy
const SECONDS_BEFORE_RECORDING = 300; // at most, with the load running
const MAX_ERROR_SHARE = 0.01;
const SHORTEST_PUBLISHED_MINUTES = 30; // blocks of 600 s need three, and two more are cut off

type Jdk = '17' | '25';

const minutes = minutesFrom(process.env['MINUTES'] ?? '60');
const jdks = jdksFrom(process.env['JDKS'] ?? '17,25');
const steps = startSteps((line) => console.log(line));

const recordedAt = new Date();
const directory = `${ROOT}/build/recordings/${recordedAt.toISOString().slice(0, 19).replaceAll(':', '-')}`;
let endsEarly = false;
process.once('SIGINT', () => {
  endsEarly = true;
  steps.say('ending early'); // the recorder has the signal, too; what follows it still runs
});
const cluster = await startTestCluster('flamegate-noise', steps);
try {
  await steps.run('install Flamegate', installFlamegate);
  const load = await inOwnNamespace(measured);
  const tables = execFileSync(process.execPath, [CLI, 'noise', directory], { encoding: 'utf8' });
  publish(`${description(load)}\n\n${tables}`, whyNotPublished(load));
} finally {
  cluster.stop();
}

function minutesFrom(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1_440) return value;
  throw new Error(`MINUTES=${text}: a whole number from 1 to 1440`);
}

function jdksFrom(text: string): readonly Jdk[] {
  return text.split(',').map((jdk) => {
    if (jdk === '17' || jdk === '25') return jdk;
    throw new Error(`JDKS=${text}: 17, 25 or both, with a comma between`);
  });
}

async function inOwnNamespace<T>(work: () => Promise<T>): Promise<T> {
  await kubectl('create', 'namespace', NAMESPACE); // fails over one that is there, before anything is removed
  try {
    return await work();
  } finally {
    if (!cluster.isOurs) await kubectl('delete', 'namespace', NAMESPACE, '--wait=false');
  }
}

async function measured(): Promise<LoadSummary> {
  await steps.run(`deploy ${HALVES.length * PODS_PER_HALF} pods for each of JDK ${jdks.join(', ')}`, deploy);
  const load = startLoad(await addresses(), RATE_PER_POD, minutes * 60 + SECONDS_BEFORE_RECORDING);
  const stop = new AbortController();
  try {
    await unlessLoadEnds(load, recordOnceProfiled(stop.signal));
    return await load.stop();
  } catch (error) {
    stop.abort();
    await load.stop().catch(() => undefined); // what went wrong first says more
    throw error;
  }
}

/** Pods without load have no samples worth an hour: the load generator refuses addresses it does not know, for one. */
function unlessLoadEnds(load: Load, work: Promise<void>): Promise<void> {
  const ended = load.ended.then(() => {
    if (endsEarly) return work;
    throw new Error('the load ended before the recording did');
  });
  return Promise.race([work, ended]);
}

async function recordOnceProfiled(signal: AbortSignal): Promise<void> {
  await steps.run('wait until all of them are profiled', allProfiled);
  await steps.run(`record for ${minutes} min`, () => record(signal));
}

function nameOf(jdk: Jdk, half: string): string {
  return `orders-jdk${jdk}-${half}`;
}

/** Each JDK has a gate of one half against the other: without a gate no stacks are kept. */
async function deploy(): Promise<void> {
  const arm = (jdk: Jdk, half: string) => ({ podSelector: { matchLabels: { arm: nameOf(jdk, half) } } });
  applyObjects(
    profilingPolicy(NAMESPACE, 'noise', { containers: ['orders'], cpu: { frequencyHz: FREQUENCY_HZ } }),
    ...jdks.map((jdk) =>
      regressionGate(NAMESPACE, `jdk${jdk}`, { baseline: arm(jdk, 'left'), canary: arm(jdk, 'right') }),
    ),
    ...jdks.flatMap((jdk) =>
      HALVES.map((half) =>
        ordersDeployment({
          namespace: NAMESPACE,
          name: nameOf(jdk, half),
          replicas: PODS_PER_HALF,
          jdk,
          labels: { jdk },
        }),
      ),
    ),
  );
  for (const jdk of jdks) {
    for (const half of HALVES) await rolledOut(NAMESPACE, nameOf(jdk, half));
  }
}

async function addresses(): Promise<Readonly<Record<string, readonly string[]>>> {
  const groups = jdks.map(async (jdk) => [`jdk${jdk}`, await podAddresses(NAMESPACE, `jdk=${jdk}`)] as const);
  return Object.fromEntries(await Promise.all(groups));
}

async function allProfiled(): Promise<void> {
  const wanted = jdks.length * HALVES.length * PODS_PER_HALF;
  await eventually(`${wanted} pods profiled`, SECONDS_BEFORE_RECORDING - 60, async () => {
    const policy = await getJson<{ status?: { profiled?: number } }>(
      'profilingpolicy',
      'noise',
      '-n',
      NAMESPACE,
    );
    return (policy?.status?.profiled ?? 0) >= wanted ? true : undefined;
  });
}

async function record(signal: AbortSignal): Promise<void> {
  const what = [
    '--namespace',
    NAMESPACE,
    '--selector',
    SELECTOR,
    '--duration',
    `${minutes}m`,
    '-o',
    directory,
  ];
  const recorder = spawn(process.execPath, [CLI, 'record', ...what], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, KUBECONFIG: clusterKubeconfig() },
    signal,
  });
  const [code] = await once(recorder, 'exit');
  if (code !== 0) throw new Error(`flamegate record ended with ${String(code)}`);
}

/** What the tables rest on: without it nobody can tell whether they speak of their own cluster. */
function description(load: LoadSummary): string {
  const { cpu, cores, kernel } = machine(jdks.join(', '));
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    encoding: 'utf8',
    cwd: ROOT,
  }).trim();
  const answered = Object.entries(load).map(
    ([group, { requests, errors, p50Ms, p99Ms }]) =>
      `${group}: ${requests} requests, ${errors} errors, P50 ${p50Ms} ms, P99 ${p99Ms} ms`,
  );
  return [
    `Recorded ${recordedAt.toISOString().slice(0, 16)}Z, ${minutes} min asked for, at commit ${commit}: ${HALVES.length * PODS_PER_HALF} pods of`,
    `samples/orders for each JDK, ${FREQUENCY_HZ} Hz, ${RATE_PER_POD} requests per second each, on one node (${cpu}, ${cores} cores,`,
    `kernel ${kernel}). ${answered.join('; ')}.`,
  ].join('\n');
}

/** Undefined: the tables say what docs/noise.md promises. */
function whyNotPublished(load: LoadSummary): string | undefined {
  if (minutes < SHORTEST_PUBLISHED_MINUTES || endsEarly)
    return `it takes ${SHORTEST_PUBLISHED_MINUTES} minutes at least`;
  const starved = Object.values(load).some(({ requests, errors }) => errors > MAX_ERROR_SHARE * requests);
  return starved
    ? 'too many requests failed: the machine had other work, and the load was not constant'
    : undefined;
}

function publish(text: string, whyNot: string | undefined): void {
  console.log(`\n${text}\nthe recording is ${relative(process.cwd(), directory)}`);
  if (whyNot !== undefined) {
    console.log(`docs/noise.md is left as it is: ${whyNot}`);
    return;
  }
  writeFileSync(PAGE, replaceBetweenMarkers(readFileSync(PAGE, 'utf8'), 'noise', text));
  console.log('written to docs/noise.md');
}
