/**
 * One controller before a thousand agents: how long a batch takes to be acknowledged, what that costs, whether a window is lost or
 * doubled, and how soon a changed gate is reconciled. Real API server, tokens, TLS, push loops and store; what agents send is
 * made up of windows of recorded pods, and waits in memory. Writes bench/results/control.json.
 * AGENTS (1000), PODS (20, of each), GATES (100), OPEN (10: gates with canaries), SECONDS (120); FAILOVERS (5; 0: without): leaders that are
 * killed afterwards, before two nodes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startSteps } from '../scripts/demo/step.ts';
import { type BareApiServer, bareApiServer } from '../test/bare/api-server.ts';
import { AGENTS } from '../test/bare/cluster.ts';
import type { Plan, Sent } from './control/agents.ts';
import { agentTokens, createWatchedPods, installCluster, podUids } from './control/cluster.ts';
import { PORTS, startLeadingController } from './control/controller.ts';
import { measureFailover } from './control/failover.ts';
import { changeGates } from './control/gate-changes.ts';
import type { SentPod } from './control/node-windows.ts';
import { namespaceOf, type WatchedPod, watchedPods } from './control/size.ts';
import { countWindows } from './control/stored.ts';
import { writeResult } from './machine.ts';
import { parseRssMb, watchUsage } from './process-usage.ts';

const ROOT = resolve(import.meta.dirname, '..');
const LISTED_PODS = 10_000;
/** What so many send in some minutes is not to go by size: docs/scale.md. */
const SETTINGS = 'retention: { store: { maxBytes: 4Gi } }';
/** By then each agent knows what it is assigned, and what all of them sent at once when they met their pods has been taken. */
const WARM_S = 180;
const PUBLISHED_CA = { apiVersion: 'v1', plural: 'configmaps', namespace: AGENTS, name: 'flamegate-ca' };

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const size = {
  nodes: number('AGENTS', 1_000),
  podsPerNode: number('PODS', 20),
  gates: number('GATES', 100),
  open: number('OPEN', 10),
};
const seconds = number('SECONDS', 120);

const steps = startSteps((line) => console.log(line));
const directory = mkdtempSync(join(tmpdir(), 'flamegate-control-'));
const settingsFile = join(directory, 'settings.yaml');
writeFileSync(settingsFile, SETTINGS);
try {
  const crowd = await measureCrowd();
  const failovers = number('FAILOVERS', 5);
  const failover = failovers > 0 && (await steps.run('kill leaders', () => measureFailover({ failovers })));
  const result = { ...crowd, ...failover };
  console.log(JSON.stringify(result, null, 2));
  console.log(`written to ${writeResult('control', 'make bench-control', '', result)}`);
} finally {
  rmSync(directory, { recursive: true });
}

async function measureCrowd() {
  const api = await steps.run('boot an API server', () => bareApiServer());
  try {
    const { client, kubeconfigFile } = api;
    const pods = watchedPods(size);
    await steps.run('install', () => installCluster(client, size));
    const [first, rest] = [pods.slice(0, LISTED_PODS), pods.slice(LISTED_PODS)];
    await steps.run(`create ${first.length} pods`, () => createWatchedPods(client, first));
    const listed = await steps.run('start a controller that lists them', () => listedBy(kubeconfigFile));
    await steps.run(`create ${rest.length} pods`, () => createWatchedPods(client, rest));
    const tokens = await steps.run('tokens for the agents', () => agentTokens(client, size.nodes));
    const sentPods = withUids(pods, await podUids(client, size.gates));
    return {
      ...{ agents: size.nodes, pods: pods.length, gates: size.gates, openGates: size.open },
      ...{ listedPods: first.length, listedRssMb: listed.peakRssMb, listedAfterMs: listed.readyAfterMs },
      ...(await steps.run(`push for ${seconds} s`, () => pushFor(api, tokens, sentPods))),
    };
  } finally {
    await api.close();
  }
}

function withUids(pods: readonly WatchedPod[], uids: ReadonlyMap<string, string>): SentPod[] {
  return pods.map((pod) => ({ ...pod, uid: uids.get(`${namespaceOf(pod.service)}/${pod.name}`) ?? '' }));
}

async function pushFor(
  { client, kubeconfigFile }: BareApiServer,
  tokens: readonly string[],
  pods: readonly SentPod[],
) {
  const dataDirectory = join(directory, 'data');
  const controller = await startLeadingController({ kubeconfigFile, settingsFile, dataDirectory });
  const caFile = join(directory, 'ca.crt');
  const ca = await client.get<{ data: Record<string, string> }>(PUBLISHED_CA);
  writeFileSync(caFile, ca?.data['ca.crt'] ?? '');
  const agents = startAgents({
    ...{ directory: join(directory, 'agents'), caFile, tokens, pods },
    controller: `https://127.0.0.1:${PORTS.httpsPort}`,
    recording: join(ROOT, 'test/fixtures/recordings/orders-c1'),
    ...{ seconds: WARM_S + seconds, warmSeconds: WARM_S },
  });
  await agents.prepared;
  await new Promise((wake) => setTimeout(wake, WARM_S * 1_000));
  controller.assertRuns();
  const [usage, reconciled] = await Promise.all([
    watchUsage(controller.pid, seconds).finally(controller.assertRuns),
    changeGates(client, size.gates, seconds),
  ]);
  const sent = await agents.sent;
  await controller.stop();
  const pushMs = sent.pushMs.toSorted((a, b) => a - b);
  return {
    ...{ ingestP50Ms: quantile(pushMs, 0.5), ingestP99Ms: quantile(pushMs, 0.99) },
    ...{ ingestMaxMs: pushMs.at(-1) ?? null, startTookS: sent.slowUntilMs / 1_000 },
    ...{
      cores: usage.core,
      rssMb: usage.maxRssMb,
      noise: {
        coreHalves: usage.halves,
        agentsDelayP99Ms: sent.ownDelayMs[0],
        agentsDelayMaxMs: sent.ownDelayMs[1],
      },
    },
    ...{
      windowsSent: sent.windows,
      ...countWindows(join(dataDirectory, 'windows.sqlite'), sent, size.podsPerNode),
    },
    ...{ refused: sent.refused, assignments: sent.assignments, reconciled: reconciled.length },
    ...{ reconcileP50Ms: quantile(reconciled, 0.5), reconcileP99Ms: quantile(reconciled, 0.99) },
  };
}

/** Its peak, from the start to the moment it leads. */
async function listedBy(
  kubeconfigFile: string,
): Promise<{ readonly peakRssMb: number; readonly readyAfterMs: number }> {
  const dataDirectory = mkdtempSync(join(directory, 'listed-'));
  const controller = await startLeadingController({ kubeconfigFile, settingsFile, dataDirectory });
  const status = readFileSync(`/proc/${controller.pid}/status`, 'latin1');
  const peakRssMb = parseRssMb(status, 'VmHWM');
  await controller.stop();
  return { peakRssMb, readyAfterMs: controller.readyAfterMs };
}

interface RunningAgents {
  readonly prepared: Promise<unknown>;
  readonly sent: Promise<Sent>;
}

function startAgents(plan: Plan): RunningAgents {
  const [planFile, resultFile] = [join(directory, 'plan.json'), join(directory, 'sent.json')];
  writeFileSync(planFile, JSON.stringify(plan));
  const child = spawn(
    process.execPath,
    ['--max-old-space-size=6144', join(ROOT, 'bench/control/agents.ts'), planFile, resultFile],
    { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] },
  );
  const ended = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`the agents ended with ${code}`);
    return JSON.parse(readFileSync(resultFile, 'utf8')) as Sent;
  });
  return { prepared: Promise.race([once(child, 'message'), ended]), sent: ended };
}

function quantile(ascending: readonly number[], part: number): number | null {
  return ascending[Math.max(0, Math.ceil(part * ascending.length) - 1)] ?? null;
}
