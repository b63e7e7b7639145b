import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RegressionReport } from '../../crds/regression-report.ts';
import { verdictPath } from '../../wire/endpoints.ts';
import { aGate, aReport } from '../regression-gate/testing/a-cluster.ts';
import { aRunningIngest, type RunningIngest, TOKENS } from './testing/a-running-ingest.ts';
import { type Answer, call } from './testing/https-client.ts';

const PATH = verdictPath('shop', 'orders-cpu');

interface Asking {
  ask(query: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  readonly ingest: RunningIngest;
  change(...reports: RegressionReport[]): void;
}

async function asking(t: TestContext, ...reports: RegressionReport[]): Promise<Asking> {
  const ingest = await aRunningIngest('silent');
  t.after(() => ingest.stop());
  const change = (...changed: RegressionReport[]) =>
    ingest.view.change({ gates: [aGate()], reports: changed });
  change(...reports);
  const authorization = `Bearer ${TOKENS.reader}`;
  return {
    ...{ ingest, change },
    ask: (query, headers) => call({ ...ingest, path: PATH + query, headers: { authorization, ...headers } }),
  };
}

const verdictOf = ({ status, text }: Answer): string => `${status} ${JSON.parse(text).verdict}`;
const codeOf = ({ status, text }: Answer): string => `${status} ${JSON.parse(text).code}`;

test('every computed answer is a 200, with the verdict as a field', async (t) => {
  const { ask, change } = await asking(t, aReport());

  assert.equal(verdictOf(await ask('?canary=bbb')), '200 Pending');
  assert.equal(verdictOf(await ask('?canary=never-seen')), '200 Pending');
  for (const verdict of ['Passed', 'Failed', 'Inconclusive'] as const) {
    change(aReport({ status: { verdict, decidedAt: '2026-01-01T12:05:00.000Z' } }));
    const answer = await ask('?canary=bbb&baseline=aaa');
    assert.equal(verdictOf(answer), `200 ${verdict}`);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(verdictOf(await ask('?canary=ccc')), '200 Pending');
    assert.equal(verdictOf(await ask('?canary=bbb&baseline=ccc')), '200 Pending');
  }
});

test('a question without one canary is no question', async (t) => {
  const { ask } = await asking(t, aReport());
  const wrong = ['', '?canary=', '?canary=bbb&canary=ccc', '?canary=b%2Fb', '?baseline=aaa'];

  for (const query of [...wrong, '?canary=bbb&baseline=', '?canary=bbb&baseline=a&baseline=b']) {
    assert.equal(codeOf(await ask(query)), '400 VERDICT_QUERY_INVALID', query);
  }
});

test('of a gate that is not there nothing is computed', async (t) => {
  const { ask, ingest } = await asking(t);
  ingest.view.change({ gates: [] });

  assert.equal(codeOf(await ask('?canary=bbb')), '404 GATE_NOT_FOUND');
});

test('who waits is answered when the verdict falls, and not by other changes', async (t) => {
  const { ask, change } = await asking(t, aReport());
  const state = { answered: false };
  const waited = ask('?canary=bbb', { prefer: 'wait=20' }).then((answer) => {
    state.answered = true;
    return answer;
  });
  assert.equal(verdictOf(await ask('?canary=bbb')), '200 Pending');
  change(aReport(), aReport({ attempt: 2, canaryHash: 'ccc', status: { verdict: 'Passed' } }));
  assert.equal(verdictOf(await ask('?canary=ccc')), '200 Passed');
  assert.equal(state.answered, false);

  change(aReport({ status: { verdict: 'Failed', reason: 'FunctionGrew' } }));

  assert.equal(verdictOf(await waited), '200 Failed');
});

test('who has waited as long as was asked for is told that it is Pending', async (t) => {
  const { ask } = await asking(t, aReport());

  assert.equal(verdictOf(await ask('?canary=bbb', { prefer: 'wait=1' })), '200 Pending');
});

test('of a gate that goes while somebody waits nothing is computed', async (t) => {
  const { ask, ingest } = await asking(t, aReport());
  const waits = () => ask('?canary=bbb', { prefer: 'wait=20' });
  const gone = waits();
  assert.equal(verdictOf(await ask('?canary=bbb')), '200 Pending');
  ingest.view.change({ gates: [], reports: [aReport({ status: { verdict: 'Passed' } })] });

  assert.equal(codeOf(await gone), '404 GATE_NOT_FOUND');
});
