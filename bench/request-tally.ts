/**
 * What counting a request costs the agent: nanoseconds of CPU and bytes of heap an exchange, for a sketch alone, for
 * paths of words (kept) and for paths with ids (each parsed anew). Usage: node bench/request-tally.ts
 */
import { createRequestDurations } from '../src/agent/request-durations.ts';
import { LatencySketch } from '../src/requests/latency-sketch.ts';
import { RequestTally } from '../src/requests/request-tally.ts';

const ROUNDS = 7;
const EXCHANGES = 65_536;

function measure(name: string, exchanges: number, run: () => void): void {
  const costs: number[] = [];
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const heap = process.memoryUsage().heapUsed;
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    costs.push(((user + system) * 1_000) / exchanges);
    bytes = (process.memoryUsage().heapUsed - heap) / exchanges;
  }
  const best = Math.min(...costs);
  console.log(`${name.padEnd(28)} ${best.toFixed(0).padStart(6)} ns  ${bytes.toFixed(1).padStart(7)} B`);
}

// Any spread of latencies will do; this one has no random numbers.
const latenciesNs = Array.from({ length: EXCHANGES }, (_, at) => 1e6 * Math.exp(4 * Math.sin(at * 1.7)));

const sketch = new LatencySketch();
measure('sketch', 20 * EXCHANGES, () => {
  for (let round = 0; round < 20; round++) for (const latency of latenciesNs) sketch.add(latency / 1_000);
});

const PATHS: Readonly<Record<string, (at: number) => string>> = {
  'tally, paths of words': (at) =>
    `/api/v1/${['orders', 'carts', 'users', 'stock', 'health'][at % 5]}?page=2`,
  'tally, paths with ids': (at) => `/api/v1/orders/${at}/items/${at * 7}`,
};
for (const [name, pathOf] of Object.entries(PATHS)) {
  const tally = new RequestTally();
  const exchanges = latenciesNs.map((latencyNs, at) => ({
    ...{ method: 'GET', path: pathOf(at), status: 200, outcome: 'Completed' as const, latencyNs },
  }));
  measure(name, 5 * EXCHANGES, () => {
    for (let round = 0; round < 5; round++) for (const exchange of exchanges) tally.add(exchange);
  });
}

const series = createRequestDurations().begin(() => ({
  namespace: 'shop',
  pod: 'orders-1',
  podUid: 'uid-1',
  container: 'app',
}));
const as = { method: 'GET', label: { route: '/api/v1/orders/{}/items/{}', byPattern: false } };
const answered = latenciesNs.map((latencyNs) => ({
  ...{ method: 'GET', path: '/', status: 200, outcome: 'Completed' as const, latencyNs },
}));
measure('series of metrics', 5 * EXCHANGES, () => {
  for (let round = 0; round < 5; round++) for (const exchange of answered) series.add(exchange, as);
});
const traceParent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const traced = answered.map((exchange, at) => ({ ...exchange, startedAtNs: at, traceParent }));
measure('the same, in traces', 5 * EXCHANGES, () => {
  for (let round = 0; round < 5; round++) for (const exchange of traced) series.add(exchange, as);
});
