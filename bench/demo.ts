/** How long the demo takes and what watching costs while both arms are under load: bench/results/demo.json. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { runDemo } from '../scripts/demo/run-demo.ts';
import { startSteps } from '../scripts/demo/step.ts';
import { kubectl } from '../test/cluster/cluster.ts';
import { pidInPod } from '../test/e2e/support/host.ts';
import { writeResult } from './machine.ts';
import { watchUsage } from './process-usage.ts';

const BUSY_SECONDS = 60;
const EVERYDAY_HZ = 49; // the default, which the bar for the agent's CPU speaks of
const SETTLE_MS = 15_000; // until the agent has the new rate and closed a window with it
process.env['CLUSTER_NAME'] ??= 'flamegate-demo';
const root = resolve(import.meta.dirname, '..');
const clusterDown = () => execFileSync(`${root}/test/cluster/down.sh`, { stdio: 'inherit' });

clusterDown();
const started = performance.now();
type Watched = Awaited<ReturnType<typeof watchUsage>>;
let agent: Watched | undefined;
let controller: Watched | undefined;
let demoSeconds = Number.NaN; // without the measurement that follows
async function watchBoth(): Promise<void> {
  demoSeconds = Math.round((performance.now() - started) / 1000);
  const everyday = JSON.stringify({ spec: { cpu: { frequencyHz: EVERYDAY_HZ } } });
  await kubectl('patch', 'profilingpolicy', 'orders', '-n', 'shop', '--type=merge', '-p', everyday);
  await new Promise((wake) => setTimeout(wake, SETTLE_MS));
  const agentPid = await pidInPod(
    'flamegate-agents',
    'app.kubernetes.io/component=agent',
    '/app/dist/agent/main.mjs',
  );
  const controllerPid = await pidInPod(
    'flamegate-system',
    'app.kubernetes.io/component=controller',
    '/app/dist/controller/main.mjs',
  );
  [agent, controller] = await Promise.all([
    watchUsage(agentPid, BUSY_SECONDS),
    watchUsage(controllerPid, BUSY_SECONDS),
  ]);
}

const steps = startSteps((line) => console.log(line));
try {
  const outcome = await runDemo(steps, watchBoth);
  const rounded = (value: number | undefined, digits: number) =>
    value === undefined ? null : Number(value.toFixed(digits));
  const path = writeResult('demo', 'make bench-demo', '25', {
    noise: { agentCoreHalves: agent?.halves.map((half) => rounded(half, 4)) ?? null },
    nodeReadyS: steps.times[0]?.seconds ?? null,
    demoS: demoSeconds,
    steps: steps.times,
    verdict: outcome.gate.status?.verdict ?? null,
    firstCulprit: outcome.report.status?.culprits?.[0]?.function ?? null,
    agentRssMb: rounded(agent?.maxRssMb, 1),
    agentCorePercent: rounded(agent === undefined ? undefined : agent.core * 100, 2),
    controllerRssMb: rounded(controller?.maxRssMb, 1),
    latency: outcome.latency,
  });
  console.log(`\n${demoSeconds} s, ${outcome.gate.status?.verdict}: written to ${path}`);
} finally {
  clusterDown();
}
