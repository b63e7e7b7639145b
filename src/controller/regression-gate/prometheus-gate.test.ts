/** A gate over a real Prometheus that scraped what agents show, beside the same gate over what they push. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import type { GateJudgement } from '../../detect/verdict.ts';
import { runningEvaluations } from './running-evaluations.ts';
import { aScrapedService, aSource, type SimulatedService } from './testing/a-scraped-service.ts';

const SLOWER: SimulatedService = {
  ...{ canary: { factor: 1.4 }, windows: 40, historyWindows: 30, scrapeMs: 15_000 },
};
const WIDE = { quantile: 0.99, relativeMargin: 0.3, absoluteMarginMs: 0, required: true };
const LIKE_ITS_BASELINE: SimulatedService = {
  ...{ ...SLOWER, canary: {}, scrapeMs: 30_000 },
  settings: { requests: { latency: [WIDE], errors: { margin: 0.005, required: true } } },
};

const p99Of = ({ checks }: GateJudgement) => {
  const numbers = checks.flatMap((check) => (check.check === 'latency.p99' ? [check.numbers] : []))[0];
  assert.ok(numbers && 'canary' in numbers);
  return numbers;
};

for (const [what, service, expected] of [
  ['a canary that takes four tenths longer', SLOWER, 'Failed'],
  ['a canary like its baseline, scraped every half a minute', LIKE_ITS_BASELINE, 'Passed'],
] as const) {
  test(`${what} is judged from Prometheus as from the store`, async (t) => {
    const { store, port, evaluation } = await aScrapedService(t, service);

    const fromStore = await runningEvaluations(store).judge('shop/orders', evaluation(375));
    const source = aSource(t, store, port);
    const scraped = await runningEvaluations(store, source).judge('shop/orders', evaluation(375));

    assert.equal(fromStore.verdict, expected);
    assert.deepEqual([scraped.verdict, scraped.reason], [fromStore.verdict, fromStore.reason]);
    const [here, there] = [p99Of(fromStore), p99Of(scraped)];
    for (const arm of ['baseline', 'canary'] as const) {
      assert.ok(Math.abs(there[arm] / here[arm] - 1) < 0.02, `${arm}: ${there[arm]} ms for ${here[arm]} ms`);
    }
  });
}

test('what agents had counted when they were started again is lost, and the rest is judged', async (t) => {
  const service = { ...LIKE_ITS_BASELINE, scrapeMs: 15_000, restartedAt: 80 };
  const { store, port, evaluation } = await aScrapedService(t, service);
  const lost = new Registry();

  const source = aSource(t, store, port, { registry: lost });
  const judgement = await runningEvaluations(store, source).judge('shop/orders', evaluation(375));

  assert.equal(judgement.verdict, 'Passed', judgement.message);
  assert.ok(judgement.flags.includes('SamplesLost'));
  assert.match(await lost.metrics(), /flamegate_backend_requests_lost_total\{fault="Restarted"\} [1-9]/);
});

test('a minute without scrapes is lost and counted, not filled in; the rest is judged', async (t) => {
  const missed = (seconds: number) => seconds > 60 && seconds < 120;
  const service = { ...LIKE_ITS_BASELINE, scrapeMs: 15_000, missed };
  const { store, port, evaluation } = await aScrapedService(t, service);
  const lost = new Registry();

  const source = aSource(t, store, port, { registry: lost });
  const judgement = await runningEvaluations(store, source).judge('shop/orders', evaluation(375));

  assert.equal(judgement.verdict, 'Passed', judgement.message);
  assert.match(await lost.metrics(), /flamegate_backend_requests_lost_total\{fault="Gap"\} [1-9]/);
});
