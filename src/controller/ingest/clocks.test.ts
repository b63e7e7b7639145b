import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Batch } from '../../wire/batch-schema.ts';
import { aFreshBatch, aRunningIngest, type RunningIngest, TOKENS } from './testing/a-running-ingest.ts';
import { gzipped, push } from './testing/https-client.ts';

async function anIngest(t: TestContext): Promise<RunningIngest> {
  const ingest = await aRunningIngest('silent');
  t.after(() => ingest.stop());
  return ingest;
}

async function send(ingest: RunningIngest, batch: Batch): Promise<string> {
  const { status, text } = await push({ ...ingest, token: TOKENS.agentA, body: gzipped(batch) });
  return `${status} ${JSON.parse(text).code ?? 'taken'}`;
}

const windowsOf = ({ store }: RunningIngest, { startMs }: Batch): number =>
  store.windows({
    ...{ pods: [{ podUid: 'uid-orders-1' }], fromMs: startMs, toMs: startMs + 10_000 },
  }).length;

test('a controller whose clock was set back says later to what is of its future, and takes it when the clock is right', async (t) => {
  const ingest = await anIngest(t);
  const { nowMs } = ingest.clock;
  const batch = aFreshBatch(nowMs + 20_000, { sequence: 1_001 });

  ingest.clock.nowMs = nowMs - 180_000;
  const first = await send(ingest, batch);
  const storedMeanwhile = windowsOf(ingest, batch);
  ingest.clock.nowMs = nowMs;
  const again = await send(ingest, batch);

  assert.deepEqual([first, again], ['503 BATCH_TIME_AHEAD', '200 taken']);
  assert.deepEqual([storedMeanwhile, windowsOf(ingest, batch)], [0, 1]);
  assert.match(
    await ingest.registry.metrics(),
    /flamegate_ingest_refused_total\{code="BATCH_TIME_AHEAD"\} 1/,
  );
});

test('what is wrong at any time is refused for good, also where it is of the future', async (t) => {
  const ingest = await anIngest(t);
  const batch = aFreshBatch(ingest.clock.nowMs + 3_600_000);

  assert.equal(await send(ingest, { ...batch, stacks: [[99]] }), '400 BATCH_INCONSISTENT');
  assert.equal(await send(ingest, { ...batch, startMs: batch.endMs }), '400 BATCH_TIME_WRONG');
  assert.equal(await send(ingest, { ...batch, node: 'node-b' }), '403 FOREIGN_NODE');
});
