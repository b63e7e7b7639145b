/** Spans of a real service, made by an agent of its own process, as a real OpenTelemetry Collector takes them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { aCollector, type RunningCollector } from '../../test/otel-collector/collector.ts';
import { listens, startedOrders } from '../native/testing/peers.ts';
import { parseAssignment } from '../wire/assignment.ts';
import { aContainer, anAgent, anAssignment } from './agent-fixture.ts';
import { aController, aLaterWindow } from './controller-fixture.ts';
import { eventually } from './jvm-fixture.ts';

const AGENTS = fileURLToPath(new URL('../../bench/overhead/agents/fetch.sh', import.meta.url));
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

test('requests of a JVM without a tracer arrive as spans, in the trace of their caller', async (t) => {
  const { collector, agent, ask } = await watchedOrders(t);

  const before = Date.now();
  const child = () =>
    collector
      .spans()
      .find((span) => span.get('Trace ID') === TRACE && span.get('Name') === 'GET /orders/{id}');
  const own = () => collector.spans().find((each) => each.get('Name')?.startsWith('GET /stock/'));
  // Of requests that are not slow few have a span, and those of one exchange need not come in one batch.
  await eventually('spans of the caller’s trace and of its own arrive', async () => {
    await ask();
    return child() !== undefined && own() !== undefined;
  });

  const span = child() ?? assert.fail();
  assert.equal(span.get('Parent ID'), PARENT);
  assert.match(span.get('ID') ?? '', /^[0-9a-f]{16}$/);
  assert.equal(span.get('Kind'), 'Server');
  assert.equal(span.get('http.request.method'), 'GET');
  assert.equal(span.get('http.response.status_code'), '200');
  const at = (name: string) =>
    Date.parse((span.get(name) ?? '').replace(/^(\S+) (\S+) \+0000 UTC$/, '$1T$2Z'));
  assert.ok(at('Start time') >= before - 50 && at('End time') <= Date.now() + 50, [...span].join(' '));
  assert.ok(at('Start time') <= at('End time'));
  const asked = own() ?? assert.fail();
  assert.equal(asked.get('Parent ID'), '', 'what the service asks itself has no traceparent');
  assert.notEqual(asked.get('Trace ID'), TRACE);
  assert.doesNotMatch(JSON.stringify(collector.spans().map((each) => [...each])), /secret/);
  const page = await agent.get('/metrics');
  assert.match(page.text, /^flamegate_agent_spans_total\{result="sent"\} [1-9]/m);
  assert.match(
    page.text,
    /^http_server_request_duration_seconds_count\{[^}]*k8s_deployment_name="orders",http_request_method="GET",http_route="\/orders\/\{id\}",http_response_status_code="200"[^}]*\} [1-9]/m,
  );
});

test('requests of a JVM that OpenTelemetry’s SDK traces are counted, and no second span is made of any', async (t) => {
  process.env['OTEL_SERVICE_NAME'] = 'orders'; // which the service inherits
  const { collector, controller, agent, ask } = await watchedOrders(t).finally(() => {
    delete process.env['OTEL_SERVICE_NAME'];
  });

  await eventually('its requests are counted', async () => {
    await ask();
    return /^http_server_request_duration_seconds_count\{.*\} [1-9]/m.test(
      (await agent.get('/metrics')).text,
    );
  });
  await aLaterWindow(controller);

  assert.deepEqual(collector.spans(), []);
  assert.doesNotMatch((await agent.get('/metrics')).text, /^flamegate_agent_spans_total\{/m);
});

test('requests of a JVM that OpenTelemetry’s agent traces have its span and no other, in the trace of their caller', async (t) => {
  const collector = await aCollector(t);
  const { controller, agent, ask } = await traced(collector, () => watchedOrders(t, collector));
  const serverSpans = () =>
    collector.spans().filter((span) => span.get('Kind') === 'Server' && span.get('Parent ID') === PARENT);

  let asked = 0;
  await eventually('its requests are counted', async () => {
    await ask();
    asked += 1;
    return /^http_server_request_duration_seconds_count\{.*\} [1-9]/m.test(
      (await agent.get('/metrics')).text,
    );
  });
  await eventually('all are traced', () => serverSpans().length >= asked);
  await aLaterWindow(controller);

  assert.equal(serverSpans().length, asked);
  assert.ok(serverSpans().every((span) => span.get('Trace ID') === TRACE));
  assert.doesNotMatch((await agent.get('/metrics')).text, /^flamegate_agent_spans_total\{/m);
});

/** What is started meanwhile has OpenTelemetry's Java agent, which sends its spans to that collector. */
async function traced<T>({ endpoint }: RunningCollector, start: () => Promise<T>): Promise<T> {
  const agents = execFileSync(AGENTS, { encoding: 'utf8' }).trim();
  const variables = {
    JAVA_TOOL_OPTIONS: `-javaagent:${agents}/opentelemetry-javaagent.jar`,
    OTEL_SERVICE_NAME: 'orders',
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_BSP_SCHEDULE_DELAY: '500',
  };
  Object.assign(process.env, variables); // which the service inherits
  try {
    return await start();
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
  }
}

/** The sample service, of which the agent knows that it is a JVM; its policy wants spans. */
async function watchedOrders(t: TestContext, known?: RunningCollector) {
  const collector = known ?? (await aCollector(t));
  const controller = await aController(t);
  const container = aContainer(t);
  const service = await startedOrders(t, container.directory);
  const { containers, ...rest } = anAssignment(container.id);
  const requests = { routes: ['/orders/{id}'], spans: true };
  const workload = { kind: 'Deployment', name: 'orders' };
  controller.assignment = parseAssignment({
    ...rest,
    windowMs: 2_000,
    settings: { spool: { maxAgeMs: 3_600_000, maxBytes: 1 << 27 }, spansEndpoint: collector.endpoint },
    containers: containers.map((each) => ({ ...each, requests, workload })),
  });
  const agent = anAgent(t, controller);
  await listens(service);
  await eventually('the JVM is known', () =>
    controller.batches.some(({ pods }) => pods[0]?.jvm.state === 'Profiled'),
  );
  const headers = { traceparent: `00-${TRACE}-${PARENT}-01` };
  const ask = async () => {
    await (await fetch(`http://127.0.0.1:${service.port}/orders/7?secret=7`, { headers })).text();
  };
  return { collector, controller, agent, ask };
}
