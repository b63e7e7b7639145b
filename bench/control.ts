/**
 * One controller before a thousand agents: how long a batch takes to be acknowledged, what that costs, whether a window is lost or
 * doubled, and how soon a changed gate is reconciled. Real API server, tokens, TLS, spools and store; only what agents send is
 * made up, of windows of recorded pods. Writes bench/results/control.json.
 * KEEP_CLUSTER=1: the cluster stays up, and the next run fills it no more.
 * AGENTS (1000), PODS (20, of each), GATES (100), OPEN (10: gates with canaries), SECONDS (120).
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startSteps } from '../scripts/demo/step.ts';
import { clusterKubeconfig } from '../test/cluster/cluster.ts';
import type { Plan, Sent } from './control/agents.ts';
import { agentTokens, clientOf, createWatchedPods, installCluster, podUids } from './control/cluster.ts';
import { type RunningController, startController } from './control/controller.ts';
import { changeGates } from './control/gate-changes.ts';
import { namespaceOf, watchedPods } from './control/size.ts';
import { countWindows } from './control/stored.ts';
import { writeResult } from './machine.ts';
import { parseRssMb, watchUsage } from './process-usage.ts';

const ROOT = resolve(import.meta.dirname, '..');
const LISTED_PODS = 10_000;
const WINDOW_S = 10;
const BUILT_WITHIN_MS = 4_000;
const WARM_WINDOWS = 3;
const PORTS = { http: 18_080, https: 18_443 };
/** Of a controller of a cluster of this size: docs/scale.md. */
const FLAGS = ['--max-semi-space-size=8', '--max-old-space-size=384'];

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const size = {
  nodes: number('AGENTS', 1_000),
  podsPerNode: number('PODS', 20),
  gates: number('GATES', 100),
  open: number('OPEN', 10),
};
const seconds = number('SECONDS', 120);
process.env['CLUSTER_NAME'] ??= 'flamegate-control';
process.env['CLUSTER_NET'] ??= '10.234';
process.env['CLUSTER_PARTS'] = 'api';

const steps = startSteps((line) => console.log(line));
const directory = mkdtempSync(join(tmpdir(), 'flamegate-control-'));
await steps.run('boot an API server', () => script('test/cluster/up.sh'));
try {
  await measure();
} finally {
  if (process.env['KEEP_CLUSTER'] === undefined) script('test/cluster/down.sh');
  rmSync(directory, { recursive: true });
}

async function measure(): Promise<void> {
  const kubeconfig = clusterKubeconfig();
  const client = clientOf(kubeconfig);
  const pods = watchedPods(size);
  await steps.run('install', () => installCluster(client, size));
  const [first, rest] = [pods.slice(0, LISTED_PODS), pods.slice(LISTED_PODS)];
  await steps.run(`create ${first.length} pods`, () => createWatchedPods(client, first));
  const listed = await steps.run('start a controller that lists them', () => listedBy(kubeconfig));
  await steps.run(`create ${rest.length} pods`, () => createWatchedPods(client, rest));
  const uids = await podUids(client, new Set(pods.map(({ service }) => service)));
  const sentPods = pods.map((pod) => ({
    ...pod,
    uid: uids.get(`${namespaceOf(pod.service)}/${pod.name}`) ?? '',
  }));
  const tokens = await steps.run('tokens for the agents', () => agentTokens(client, size.nodes));
  const dataDir = join(directory, 'data');
  execFileSync('mkdir', ['-p', dataDir]);
  const controller = await steps.run('start the controller', () =>
    started(kubeconfig, dataDir, 'controller.log'),
  );
  const ca = await client.get<{ data: Record<string, string> }>({
    apiVersion: 'v1',
    plural: 'configmaps',
    namespace: 'flamegate-agents',
    name: 'flamegate-ca',
  });
  const caFile = join(directory, 'ca.crt');
  writeFileSync(caFile, ca?.data['ca.crt'] ?? '');
  const plan: Plan = {
    ...{
      directory: join(directory, 'agents'),
      controller: `https://127.0.0.1:${PORTS.https}`,
      caFile,
      tokens,
      pods: sentPods,
      builtWithinMs: BUILT_WITHIN_MS,
    },
    recording: join(ROOT, 'test/fixtures/recordings/orders-c1'),
    ...{ windows: WARM_WINDOWS + Math.ceil(seconds / WINDOW_S), measureFrom: WARM_WINDOWS },
  };
  const agents = runAgents(plan);
  await new Promise((wake) => setTimeout(wake, (WARM_WINDOWS + 1) * WINDOW_S * 1_000));
  const [usage, reconciled] = await Promise.all([
    watchUsage(controller.pid, seconds),
    changeGates(client, size.gates, seconds),
  ]);
  const sent = await agents;
  await controller.stop();
  const stored = countWindows(join(dataDir, 'windows.sqlite'), sent, size.podsPerNode);
  const pushMs = sent.pushMs.toSorted((a, b) => a - b);
  const result = {
    ...{ agents: size.nodes, pods: pods.length, gates: size.gates, openGates: size.open },
    ...{
      ingestP50Ms: quantile(pushMs, 0.5),
      ingestP99Ms: quantile(pushMs, 0.99),
      ingestMaxMs: pushMs.at(-1) ?? null,
    },
    ...{ cores: usage.core, rssMb: usage.maxRssMb, noise: { coreHalves: usage.halves } },
    ...{ windowsSent: sent.windows, ...stored, refused: sent.refused, assignments: sent.assignments },
    ...{ listedPods: first.length, listedRssMb: listed.peakRssMb, listedAfterMs: listed.readyAfterMs },
    ...{
      reconcileP50Ms: quantile(reconciled, 0.5),
      reconcileP99Ms: quantile(reconciled, 0.99),
      reconciled: reconciled.length,
    },
  };
  console.log(JSON.stringify(result, null, 2));
  console.log(`written to ${writeResult('control', 'make bench-control', '', result)}`);
}

function started(kubeconfig: string, dataDir: string, log: string): Promise<RunningController> {
  const logFile = join(process.env['LOGS'] ?? directory, log);
  return startController({ kubeconfig, dataDir, logFile, ports: PORTS, flags: FLAGS });
}

/** Its peak, from the start to the moment it leads. */
async function listedBy(
  kubeconfig: string,
): Promise<{ readonly peakRssMb: number; readonly readyAfterMs: number }> {
  const dataDir = mkdtempSync(join(directory, 'listed-'));
  const controller = await started(kubeconfig, dataDir, 'listing.log');
  const status = readFileSync(`/proc/${controller.pid}/status`, 'latin1');
  const peakRssMb = parseRssMb(status.replace('VmRSS', 'rss').replace('VmHWM', 'VmRSS'));
  await controller.stop();
  return { peakRssMb, readyAfterMs: controller.readyAfterMs };
}

async function runAgents(plan: Plan): Promise<Sent> {
  const [planFile, resultFile] = [join(directory, 'plan.json'), join(directory, 'sent.json')];
  writeFileSync(planFile, JSON.stringify(plan));
  const child = spawn(
    process.execPath,
    ['--max-old-space-size=6144', join(ROOT, 'bench/control/agents.ts'), planFile, resultFile],
    {
      stdio: 'inherit',
    },
  );
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the agents ended with ${code}`);
  return JSON.parse(readFileSync(resultFile, 'utf8'));
}

function quantile(ascending: readonly number[], part: number): number | null {
  return ascending[Math.max(0, Math.ceil(part * ascending.length) - 1)] ?? null;
}

function script(path: string): void {
  execFileSync(`${ROOT}/${path}`, { stdio: 'inherit' });
}
