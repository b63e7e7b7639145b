/** The whole promise on real parts: cluster, service, canary, verdict. Leaves the cluster up for a look around. */
import { execFileSync, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { RegressionGate } from '../../src/crds/regression-gate.ts';
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { clusterEnv, eventually, getJson, kubectl } from '../../test/cluster/cluster.ts';
import { type LoadSummary, podAddresses, startLoad } from './load.ts';
import type { Steps } from './step.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const NAMESPACE = 'shop';
const GATE = 'orders';
const RATE_PER_POD = 12; // requests per second; six pods keep two cores about half busy
const WARM_UP_RATE = 4;
const WARM_UP_SECONDS = 40;
const LOAD_MAX_SECONDS = 1200;
const VERDICT_SECONDS = 900;

export interface DemoOutcome {
  readonly gate: RegressionGate;
  readonly report: RegressionReport;
  readonly latency: LoadSummary;
}

/** Called once after the verdict, while both arms are still under load, for those who measure. */
export type WhileBusy = () => Promise<void>;

export async function runDemo(steps: Steps, whileBusy: WhileBusy = async () => {}): Promise<DemoOutcome> {
  await steps.run('boot a one-node Kubernetes cluster', () => script('test/cluster/up.sh'));
  await steps.run('build and import three images', () => script('scripts/images.sh'));
  await steps.run('install Flamegate (kubectl apply -k config/default)', install);
  await steps.run('deploy the orders service, 3 pods', () => deploy('samples/orders/k8s', 'orders'));
  await steps.run('apply the ProfilingPolicy; the running pods are profiled as they are', async () => {
    await apply('samples/profiling-policy.yaml');
    await profiled(3);
  });
  await steps.run('apply the RegressionGate', () => apply('samples/regression-gate.yaml'));
  await steps.run('ship the canary with the slow codec, 3 pods', async () => {
    await deploy('samples/orders/k8s/canary.yaml', 'orders-canary');
    await profiled(6);
  });
  const arms = { stable: await podsOf('stable'), canary: await podsOf('canary') };
  await steps.run('warm both arms up alike', async () => {
    const gentle = startLoad(arms, WARM_UP_RATE, WARM_UP_SECONDS);
    await gentle.ended;
  });
  const load = startLoad(arms, RATE_PER_POD, LOAD_MAX_SECONDS);
  try {
    const gate = await steps.run('wait for the verdict', () => verdictOf(steps));
    const report = await reportOf(gate);
    await whileBusy();
    return { gate, report, latency: await load.stop() };
  } finally {
    await load.stop().catch(() => undefined); // what failed before it is told
  }
}

function script(path: string): void {
  const { status } = spawnSync(`${ROOT}/${path}`, {
    stdio: 'inherit',
    env: { ...process.env, ...clusterEnv() },
  });
  if (status !== 0) throw new Error(`${path} ended with ${status}`);
}

async function apply(path: string): Promise<void> {
  await kubectl('apply', '--server-side', ...(path.endsWith('.yaml') ? ['-f'] : ['-k']), `${ROOT}/${path}`);
}

async function install(): Promise<void> {
  await apply('config/default');
  await kubectl('wait', '--for=condition=Established', 'crd/regressiongates.flamegate.dev', '--timeout=30s');
  await rollout('flamegate-system', 'flamegate-controller');
}

async function deploy(path: string, deployment: string): Promise<void> {
  await apply(path);
  await rollout(NAMESPACE, deployment);
}

async function rollout(namespace: string, deployment: string): Promise<void> {
  await kubectl('rollout', 'status', `deployment/${deployment}`, '-n', namespace, '--timeout=300s');
}

/** Waits until the agent profiles so many pods. */
async function profiled(pods: number): Promise<void> {
  await eventually(`${pods} pods profiled`, 120, async () => {
    const policy = await getJson<{ status?: { profiled?: number } }>(
      'profilingpolicy',
      'orders',
      '-n',
      NAMESPACE,
    );
    return (policy?.status?.profiled ?? 0) >= pods ? true : undefined;
  });
}

async function podsOf(track: 'stable' | 'canary'): Promise<readonly string[]> {
  return eventually(`3 ready ${track} pods`, 60, async () => {
    const found = await podAddresses(NAMESPACE, `app=orders,track=${track}`);
    return found.length === 3 ? found : undefined;
  });
}

async function verdictOf(steps: Steps): Promise<RegressionGate> {
  let said = '';
  return eventually('a verdict', VERDICT_SECONDS, async () => {
    const gate = await getJson<RegressionGate>('regressiongate', GATE, '-n', NAMESPACE);
    const summary = gate?.status?.summary ?? '';
    if (summary !== said) steps.say(summary);
    said = summary;
    const verdict = gate?.status?.verdict;
    return verdict === 'Passed' || verdict === 'Failed' || verdict === 'Inconclusive' ? gate : undefined;
  });
}

async function reportOf(gate: RegressionGate): Promise<RegressionReport> {
  const name = gate.status?.evaluation?.report ?? '';
  return eventually('the report', 30, () =>
    getJson<RegressionReport>('regressionreport', name, '-n', NAMESPACE),
  );
}

/** What a person would type next. */
export async function printOutcome(outcome: DemoOutcome, print: (text: string) => void): Promise<void> {
  const cli = (...args: string[]) =>
    execFileSync(process.execPath, [`${ROOT}/dist/cli/main.mjs`, ...args], { encoding: 'utf8' });
  const report = `${NAMESPACE}/${outcome.report.metadata.name}`;
  print(`\n$ kubectl get regressiongates -n ${NAMESPACE}`);
  print(await kubectl('get', 'regressiongates', '-n', NAMESPACE));
  print(`$ flamegate report ${report}`);
  print(cli('report', report));
  const page = `${ROOT}/build/demo-flamegraph.html`;
  print(cli('report', report, '-o', page));
  for (const [arm, seen] of Object.entries(outcome.latency)) {
    print(
      `${arm.padEnd(8)} ${seen.requests} requests, ${seen.errors} errors, P50 ${seen.p50Ms} ms, P99 ${seen.p99Ms} ms`,
    );
  }
}
