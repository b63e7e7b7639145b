/**
 * For the fuzzer, as a process of its own: the real ingest, the controller's health server and the agent's. Each time it is
 * asked, it says where they listen, how much memory is in use, and what has failed.
 */
import { startHealthServer as startAgentHealth } from '../../../agent/health-server.ts';
import { createMetrics } from '../../../agent/metrics.ts';
import { createRequestDurations } from '../../../agent/request-durations.ts';
import { AGENT_AUDIENCE } from '../../../wire/endpoints.ts';
import { startHealthServer } from '../../health.ts';
import { aRunningIngest } from './a-running-ingest.ts';

export interface ServersReport {
  readonly ports: { readonly ingest: number; readonly controller: number; readonly agent: number };
  readonly ca: string;
  /** In use, without what only waits to be collected. */
  readonly bytes: number;
  /** Lines of the log that are errors. */
  readonly failures: readonly string[];
}

/** So many identities that limits by identity leave something to be read. */
export const IDENTITIES = 200;
export const agentToken = (i: number): string => `token-of-the-agent-on-node-${i}`;
export const viewerToken = (i: number): string => `token-of-reader-number-${i}-of-shop`;

if (import.meta.main) await serve();

async function serve(): Promise<void> {
  const ingest = await aRunningIngest('error');
  ingest.settings.flaggerWebhooks = true;
  for (let i = 0; i < IDENTITIES; i++) {
    const username = 'system:serviceaccount:flamegate-agents:flamegate-agent';
    ingest.api.tokens.set(agentToken(i), { username, audience: AGENT_AUDIENCE, node: `node-${i}` });
    ingest.api.tokens.set(viewerToken(i), { username: `reader-${i}`, mayRead: ['shop'] });
  }
  const { registry } = ingest;
  const healthy = { sick: () => undefined, notReady: () => undefined };
  const controller = await startHealthServer({ port: 0, registry, ...healthy });
  const { families } = createMetrics(createRequestDurations());
  const agent = await startAgentHealth(0, { metrics: families, alive: () => true, failure: () => undefined });
  process.on('message', () => {
    ingest.clock.nowMs = Date.now();
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    const report: ServersReport = {
      ports: { ingest: ingest.port, controller: controller.port, agent: agent.port },
      ...{ ca: ingest.ca, bytes: heapUsed + external },
      failures: ingest.logged().split('\n').filter(Boolean),
    };
    process.send?.(report, () => undefined); // who asked may be gone
  });
  process.on('disconnect', () => void ingest.stop().then(() => process.exit(0)));
  process.send?.('ready');
}
