/**
 * Records real pods for bench-detect-real, on the cluster CLUSTER_NAME that is up and has the images: of JDK 17 and 25 each twelve
 * pods of one version, and beside them, anew every eighteen minutes, three pods of that same version and three with the slow
 * codec, which get a twentieth of the requests. One of the twelve is restarted with each of these generations.
 * Usage: record.ts DIRECTORY  (MINUTES=90, JDKS=17,25); a directory for each JDK is written in it, as `flamegate record` does.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Load, podAddresses, startLoad } from '../../scripts/demo/load.ts';
import { clusterKubeconfig, eventually, getJson, kubectl } from '../../test/cluster/cluster.ts';
import { fittingRate } from '../../test/e2e/support/fitting-load.ts';
import { installFlamegate, profilingPolicy, regressionGate } from '../../test/e2e/support/install.ts';
import { applyObjects, namespace, ordersDeployment, rolledOut } from '../../test/e2e/support/orders.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli/main.mjs');
const BASELINE = { arm: 'stable', pods: 12 } as const;
/** Orders of the slowest twentieth are large. One request in forty is: each order asks for its stock. */
const ALL = { LARGE_ORDER_SHARE: '0.05', LARGE_ORDER_LINES: '800' };
const CANARIES = { again: ALL, codec: { ...ALL, CODEC: 'slow' } } as const;
const CANARY_PODS = 3;
const CANARY_SHARE = 0.05; // of all requests to the version it is compared with and to itself
const GENERATION_SECONDS = 18 * 60;
/** Of all cores, for the pods: what queues for a CPU would be most of the latency otherwise. */
const PODS_PART = 0.45;
const WARM_UP = { ratePerPod: 2, seconds: 60 } as const;
const SECONDS_AFTER = 60; // of load, so that the last window is as the others

type Jdk = '17' | '25';

interface Generation {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: record.ts DIRECTORY');
const minutes = Number(process.env['MINUTES'] ?? '90');
const jdks = (process.env['JDKS'] ?? '17,25').split(',').map(jdkFrom);

await installFlamegate();
for (const jdk of jdks) await deployBaseline(jdk);
const baselineRate = await warmUpAndFit();
const canaryRate = (baselineRate * BASELINE.pods * CANARY_SHARE) / (1 - CANARY_SHARE) / CANARY_PODS;
const baselineLoads = new Map<string, Load>();
try {
  for (const jdk of jdks) await loadBaseline(jdk);
  for (const jdk of jdks) applyGates(jdk); // agents send stacks of gated pods only
  await recordGenerations(directory);
} finally {
  for (const load of baselineLoads.values()) await load.stop();
  for (const jdk of jdks) await kubectl('delete', 'namespace', namespaceOf(jdk), '--wait=false');
}

function jdkFrom(text: string): Jdk {
  if (text === '17' || text === '25') return text;
  throw new Error(`JDKS: 17, 25 or both with a comma between, not ${text}`);
}

function namespaceOf(jdk: Jdk): string {
  return `recorded-jdk${jdk}`;
}

async function deployBaseline(jdk: Jdk): Promise<void> {
  const ns = namespaceOf(jdk);
  const policy = { cpu: { frequencyHz: 199 }, requests: { routes: ['/orders/{id}', '/stock/{sku}'] } };
  applyObjects(namespace(ns), profilingPolicy(ns, 'shop', policy));
  const { arm, pods } = BASELINE;
  // A few at a time: a dozen JVMs that start at once starve the node.
  for (let replicas = 4; replicas <= pods; replicas += 4) await deploy(jdk, { arm, replicas, env: ALL });
}

interface Arm {
  readonly arm: string;
  readonly replicas: number;
  readonly env: Readonly<Record<string, string>>;
}

async function deploy(jdk: Jdk, { arm, replicas, env }: Arm): Promise<void> {
  applyObjects(
    ordersDeployment({
      namespace: namespaceOf(jdk),
      name: arm,
      replicas,
      jdk,
      env,
      jvmArgs: [],
      cpuRequest: '20m',
    }),
  );
  await rolledOut(namespaceOf(jdk), arm, 600);
}

/** Requests a second for each pod of the baselines. */
async function warmUpAndFit(): Promise<number> {
  const groups = Object.fromEntries(
    await Promise.all(
      jdks.map(async (jdk) => [`jdk${jdk}`, await podAddresses(namespaceOf(jdk), 'arm=stable')] as const),
    ),
  );
  await startLoad(groups, WARM_UP.ratePerPod, WARM_UP.seconds).ended;
  const rates: number[] = [];
  for (const [group, pods] of Object.entries(groups)) {
    const part = PODS_PART / jdks.length;
    rates.push(await fittingRate({ namespace: `recorded-${group}`, groups: { [group]: pods } }, part));
  }
  return Math.min(...rates);
}

/** One load for each pod of a baseline that has none, so that one can be restarted while the others go on. */
async function loadBaseline(jdk: Jdk): Promise<void> {
  const pods = await eventually(`${BASELINE.pods} ready pods`, 240, async () => {
    const ready = await podAddresses(namespaceOf(jdk), `arm=${BASELINE.arm}`);
    return ready.length === BASELINE.pods ? ready : undefined;
  });
  const seconds = 2 * minutes * 60 + SECONDS_AFTER;
  for (const pod of pods.filter((address) => !baselineLoads.has(address))) {
    const group = `${BASELINE.arm}${jdk}at${pod.replaceAll(/[.:]/g, 'x')}`;
    baselineLoads.set(pod, startLoad({ [group]: [pod] }, baselineRate, seconds));
  }
}

function applyGates(jdk: Jdk): void {
  const arm = (name: string) => ({ podSelector: { matchLabels: { arm: name } } });
  applyObjects(
    ...Object.keys(CANARIES).map((canary) =>
      regressionGate(namespaceOf(jdk), canary, {
        baseline: arm(BASELINE.arm),
        canary: arm(canary),
        duration: { warmUp: '3m', min: '3m', deadline: '15m' },
      }),
    ),
  );
}

async function recordGenerations(into: string): Promise<void> {
  const startedAtMs = Date.now();
  const endsAtMs = startedAtMs + minutes * 60_000;
  const recorders = jdks.map((jdk) => record(jdk, join(into, `jdk${jdk}`)));
  const generations: Generation[] = [];
  while (endsAtMs - Date.now() > (GENERATION_SECONDS * 1000) / 2) {
    generations.push(await runGeneration(generations.length));
    for (const jdk of jdks) await writeAbout(join(into, `jdk${jdk}`), jdk, { startedAtMs, generations });
  }
  const codes = await Promise.all(recorders);
  const bad = codes.find((code) => code !== 0);
  if (bad !== undefined) throw new Error(`flamegate record ended with ${bad}`);
}

async function record(jdk: Jdk, into: string): Promise<number> {
  await mkdir(into, { recursive: true });
  const what = ['--namespace', namespaceOf(jdk), '--selector', 'app=orders', '--interval', '30s'];
  const recorder = spawn(
    process.execPath,
    [CLI, 'record', ...what, '--duration', `${minutes}m`, '-o', into],
    { stdio: 'inherit', env: { ...process.env, KUBECONFIG: clusterKubeconfig() } },
  );
  const [code] = await once(recorder, 'exit');
  return Number(code);
}

/** New pods of each canary, loaded until the next generation is due. */
async function runGeneration(number: number): Promise<Generation> {
  const startedAtMs = Date.now();
  if (number > 0) for (const jdk of jdks) await restartOneOf(jdk);
  for (const jdk of jdks) {
    for (const [arm, env] of Object.entries(CANARIES)) {
      await deploy(jdk, { arm, replicas: CANARY_PODS, env: { ...env, GENERATION: String(number) } });
    }
    await loadBaseline(jdk);
  }
  const endsAtMs = startedAtMs + GENERATION_SECONDS * 1000;
  const load = startLoad(await canaryPods(), canaryRate, Math.ceil((endsAtMs - Date.now()) / 1000));
  await load.ended;
  const summary = await load.stop();
  console.log(`generation ${number}: ${JSON.stringify(summary)}`);
  return { startedAtMs, endedAtMs: Date.now() };
}

async function canaryPods(): Promise<Readonly<Record<string, readonly string[]>>> {
  const groups: Record<string, readonly string[]> = {};
  for (const jdk of jdks) {
    for (const arm of Object.keys(CANARIES)) {
      groups[`${arm}${jdk}`] = await eventually(`${CANARY_PODS} pods of ${arm}`, 60, async () => {
        const ready = await podAddresses(namespaceOf(jdk), `arm=${arm}`);
        return ready.length === CANARY_PODS ? ready : undefined;
      });
    }
  }
  return groups;
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly creationTimestamp: string };
    readonly status: { readonly podIP?: string };
  }[];
}

/** The oldest of a baseline's pods, whose load ends first. */
async function restartOneOf(jdk: Jdk): Promise<void> {
  const ns = namespaceOf(jdk);
  const pods = await getJson<PodList>('pods', '-n', ns, '-l', `arm=${BASELINE.arm}`);
  const [oldest] = (pods?.items ?? []).toSorted(
    (a, b) => Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp),
  );
  if (oldest === undefined) throw new Error(`no pod of ${BASELINE.arm} in ${ns}`);
  const address = `${oldest.status.podIP ?? ''}:8080`;
  await baselineLoads.get(address)?.stop();
  baselineLoads.delete(address);
  await kubectl('delete', 'pod', oldest.metadata.name, '-n', ns);
}

interface Recorded {
  readonly startedAtMs: number;
  readonly generations: readonly Generation[];
}

async function writeAbout(into: string, jdk: Jdk, recorded: Recorded): Promise<void> {
  const about = { jdk, ...recorded, baselineRatePerPod: baselineRate, canaryRatePerPod: canaryRate };
  await writeFile(join(into, 'about.json'), `${JSON.stringify(about, null, 2)}\n`);
}
