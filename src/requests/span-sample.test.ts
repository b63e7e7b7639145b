import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TimedExchange } from './exchange.ts';
import { BY_LOT, SLOWEST, SpanSample } from './span-sample.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-';
const AS = { method: 'GET', label: { route: '/orders/{}', byPattern: false } };

const anExchange = (latencyNs: number, traceParent = ''): TimedExchange => ({
  ...{ method: 'GET', path: '/orders/17', status: 200, outcome: 'Completed', startedAtNs: 1 },
  ...{ latencyNs, traceParent },
});

/** The multiplicative congruential generator of Park and Miller. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test('the slowest are always there, each request once, and never more than there is room for', () => {
  const latencies = fc.array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 100 });
  fc.assert(
    fc.property(latencies, fc.integer({ min: 1, max: 1e9 }), (all, seed) => {
      const sample = new SpanSample(seeded(seed));
      for (const latency of all) sample.add(anExchange(latency), AS);

      const taken = sample.take().map(({ exchange }) => exchange);

      assert.equal(new Set(taken).size, taken.length);
      assert.ok(taken.length <= SLOWEST + BY_LOT);
      assert.ok(taken.length >= Math.min(all.length, SLOWEST));
      const slowest = all.toSorted((a, b) => b - a).slice(0, SLOWEST);
      const there = taken.map(({ latencyNs }) => latencyNs).sort((a, b) => b - a);
      assert.deepEqual(there.slice(0, SLOWEST), slowest);
    }),
  );
});

test('by lot each request is as likely as the others', () => {
  const random = seeded(20_260_101);
  const drawn = new Map<number, number>();
  for (let window = 0; window < 4_000; window++) {
    const sample = new SpanSample(random);
    for (let at = 0; at < 50; at++) sample.add(anExchange(at), AS);
    for (const { exchange } of sample.take()) {
      drawn.set(exchange.latencyNs, (drawn.get(exchange.latencyNs) ?? 0) + 1);
    }
  }

  // a tenth of 4,000 windows, ± 5 standard deviations
  for (let at = 0; at < 50 - SLOWEST; at++) assert.ok(Math.abs((drawn.get(at) ?? 0) - 400) < 95, `${at}`);
});

test('a window begins with nothing of the one before', () => {
  const sample = new SpanSample(seeded(1));
  sample.add(anExchange(9_000), AS);
  assert.equal(sample.take().length, 1);
  sample.add(anExchange(1), AS);

  assert.deepEqual(
    sample.take().map(({ exchange }) => exchange.latencyNs),
    [1],
  );
});

test('what its caller does not record is no span', () => {
  const sample = new SpanSample(seeded(1));
  for (const flags of ['00', '01', '02', 'ff']) sample.add(anExchange(1, TRACE + flags), AS);

  assert.deepEqual(
    sample.take().map(({ exchange }) => exchange.traceParent.slice(-2)),
    ['01', 'ff'],
  );
});
