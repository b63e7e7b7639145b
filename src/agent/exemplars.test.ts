/** From a request that a real server answers, by the agent's page, to what a real Prometheus says was slow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../test/free-port.ts';
import { aPrometheus, until } from '../../test/prometheus/prometheus.ts';
import { listeningIn } from '../native/testing/peers.ts';
import { parseAssignment } from '../wire/assignment.ts';
import { aContainer, anAgent, anAssignment } from './agent-fixture.ts';
import { aController } from './controller-fixture.ts';
import { eventually } from './jvm-fixture.ts';

const NODE_PEER = fileURLToPath(new URL('../native/testing/node-peer.ts', import.meta.url));
const PARENT = 'b7ad6b7169203331';
const METRIC = 'http_server_request_duration_seconds';
const SLOW_MS = 300;
const TRACES = {
  fast: '0af7651916cd43dd8448eb211c80319c',
  slow: '4bf92f3577b34da6a3ce929d0e0e4736',
  unsampled: '5bf92f3577b34da6a3ce929d0e0e4736',
  failed: '6bf92f3577b34da6a3ce929d0e0e4736',
};

test('Prometheus finds the trace of the slowest request whose caller records it, in either kind of histogram', async (t) => {
  const controller = await aController(t);
  const container = aContainer(t);
  const service = await listeningIn(t, container.directory, [process.execPath, NODE_PEER]);
  const { containers, ...rest } = anAssignment(container.id);
  const wanted = containers.map((each) => ({ ...each, requests: { routes: ['/wait'] } }));
  controller.assignment = parseAssignment({ ...rest, windowMs: 2_000, containers: wanted });
  const port = await freePort();
  const agent = anAgent(t, controller, { env: { FLAMEGATE_HTTP_PORT: String(port) } });
  await eventually('requests are watched', async () =>
    (await agent.get('/metrics')).text.includes('flamegate_agent_requests_open 1\n'),
  );
  const servers = await Promise.all(
    [false, true].map((nativeHistograms) => aPrometheus(t, { targets: [port], nativeHistograms })),
  );
  const askFor = async (path: string, headers: Record<string, string>) =>
    (await fetch(`http://127.0.0.1:${service.port}${path}`, { headers })).text();
  const ask = (ms: number, headers: Record<string, string>) => askFor(`/wait?ms=${ms}`, headers);
  const traceparent = (trace: string, flags: string) => ({ traceparent: `00-${trace}-${PARENT}-${flags}` });

  const before = Date.now();
  await Promise.all([
    ask(0, traceparent(TRACES.fast, '01')),
    ask(SLOW_MS, traceparent(TRACES.slow, '01')),
    ask(2 * SLOW_MS, traceparent(TRACES.unsampled, '00')),
    ask(2 * SLOW_MS, {}),
    askFor('/status?code=503', traceparent(TRACES.failed, '01')),
  ]);
  for (const [at, server] of servers.entries()) {
    const name = at === 0 ? `${METRIC}_bucket` : METRIC;
    const storedOf = (trace: string) =>
      until('the exemplar is stored', async () => {
        const found = await server.exemplars(name);
        return found.find((one) => one.exemplar.labels['trace_id'] === trace);
      });
    assert.equal((await storedOf(TRACES.failed)).series['http_response_status_code'], '503');
    const { series, exemplar } = await storedOf(TRACES.slow);
    assert.equal(series['http_route'], '/wait');
    if (at === 0) assert.ok(Number(series['le']) >= exemplar.value, series['le']);
    assert.deepEqual(exemplar.labels, { trace_id: TRACES.slow, span_id: PARENT });
    assert.ok(exemplar.value >= SLOW_MS / 1_000, String(exemplar.value));
    const endedMs = exemplar.timestamp * 1_000;
    assert.ok(endedMs >= before + SLOW_MS - 50 && endedMs <= Date.now() + 50, String(endedMs - before));
    const all = await server.exemplars(name);
    assert.doesNotMatch(JSON.stringify(all), new RegExp(TRACES.unsampled));
  }
});
