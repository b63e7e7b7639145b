import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { aBatch, aPodWindow, EPOCH_MS, WINDOW_MS } from '../../store/testing/a-batch.ts';
import { openStore, type WindowStore } from '../../store/window-store.ts';
import type { CertificationAim, Certifying } from './certification.ts';
import { runningCertifications } from './running-certifications.ts';

const PODS = ['a', 'b', 'c', 'd', 'e', 'f'];
const WINDOWS = 100;
const NOW_MS = EPOCH_MS + WINDOWS * WINDOW_MS;
const now = () => NOW_MS;
const log = pino({ level: 'silent' });

function aStore(t: TestContext, pods = PODS): WindowStore {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-certify-'));
  const store = openStore(join(directory, 'windows.db'), { now });
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  for (let at = 0; at < WINDOWS; at++) {
    const windows = pods.map((podUid, index) => {
      const counts = [40, 30, 20, 10].map((count, stack): [number, number] => [
        stack,
        count + ((at * 7 + index * 3 + stack) % 5),
      ]);
      return aPodWindow({ podUid, samples: counts.reduce((sum, [, count]) => sum + count, 0), counts });
    });
    const strings = ['encode', 'handle', 'read', 'query', 'run'];
    const stacks = [
      [0, 4],
      [1, 4],
      [2, 4],
      [3, 4],
    ];
    store.addBatch(aBatch({ sequence: at, strings, stacks, pods: windows }));
  }
  return store;
}

const anAim = (fields: Partial<CertificationAim> = {}): CertificationAim => ({
  identity: 'gate-1',
  baseline: 'aaa',
  pods: PODS.map((podUid) => ({ podUid, container: 'app' })),
  settings: {
    functionMargin: 0.05,
    falseFailureRate: 0.05,
    minDurationMs: 180_000,
    deadlineMs: 600_000,
    warmUpMs: 0,
  },
  generation: 1,
  request: undefined,
  ...fields,
});

/** Asked as a gate's looks do, until there is an answer. */
async function answered(ask: () => Certifying): Promise<Certifying> {
  for (;;) {
    const state = ask();
    if (state.kind !== 'Running') return state;
    await sleep(10);
  }
}

test('a gate is certified by its own pods, and the answer stays the same for the same question', async (t) => {
  const running = runningCertifications({ store: aStore(t), now, log });
  const ask = () => running.certify('shop/orders', anAim({ request: 'now' }));

  assert.equal(ask().kind, 'Running');
  const state = await answered(ask);

  assert.ok(state.kind === 'Done');
  const { certification } = state;
  assert.match(
    certification.summary,
    /^0 of 20 placebos failed(?: \(worth \d+ independent ones\))?; sees ≥ [\d.]+ % of CPU in 10 min with 3 canary/,
  );
  assert.deepEqual(
    {
      pods: certification.pods,
      span: certification.span,
      request: certification.request,
      factor: certification.podVarianceFactor,
      at: certification.at,
    },
    { pods: 6, span: '16m30s', request: 'now', factor: '1', at: new Date(NOW_MS).toISOString() },
  );
  assert.equal(ask(), state);
});

test('another question is begun anew, and one of a gate that opened an evaluation is dropped', async (t) => {
  const running = runningCertifications({ store: aStore(t), now, log });
  const first = await answered(() => running.certify('shop/orders', anAim()));

  const second = await answered(() => running.certify('shop/orders', anAim({ identity: 'gate-1 again' })));
  running.certify('shop/orders', anAim({ identity: 'third' }));
  running.drop('shop/orders');

  assert.deepEqual([first.kind, second.kind], ['Done', 'Done']);
  assert.equal(
    running.certify('shop/orders', anAim()).kind,
    'Running',
    'nothing is left of what was dropped',
  );
});

test('too few pods, or too young ones, are said at once', (t) => {
  const running = runningCertifications({ store: aStore(t, PODS.slice(0, 3)), now, log });
  const three = running.certify('shop/orders', anAim({ pods: anAim().pods.slice(0, 3) }));
  const six = running.certify('shop/orders', anAim());

  assert.deepEqual(three, {
    kind: 'Waiting',
    reason: 'TooFewPods',
    message: 'at least 4 baseline pods with 15 min of windows are needed, and there are 3 pods',
  });
  assert.deepEqual(six, {
    kind: 'Waiting',
    reason: 'TooFewWindows',
    message: 'at least 4 baseline pods with 15 min of windows are needed, and 3 of 6 have them',
  });
});

test('other work gets its turn while a gate is certified', async (t) => {
  const running = runningCertifications({ store: aStore(t), now, log });
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (turns < 100_000) setImmediate(count);
  };
  setImmediate(count);

  await answered(() => running.certify('shop/orders', anAim()));

  assert.ok(turns > 20, `${turns}`);
});
