import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { Batch } from '../wire/batch-schema.ts';
import { StoreError } from './store-error.ts';
import type { StoredWindow } from './stored-window.ts';
import { aBatch, aPodWindow, EPOCH_MS, WINDOW_MS } from './testing/a-batch.ts';
import { aPath, aStore, everything } from './testing/a-store.ts';

const collapsed = (window: StoredWindow | undefined): string[] =>
  [...(window?.stacks ?? [])].map(({ frames, count }) => `${frames.toReversed().join(';')} ${count}`);

test('a stored window comes back as it was pushed, with names instead of indices', (t) => {
  const store = aStore(t, aPath(t));

  store.addBatch(
    aBatch({
      cpuModel: 'AMD EPYC',
      pods: [
        aPodWindow({
          samples: 4,
          losses: { ringFull: 1, tableFull: 0, noUserStack: 0, truncated: 0, unnamed: 0 },
          jvm: { state: 'Profiled', reason: '', message: '', jdk: '25', flags: ['-XX:+B', '-XX:+A'] },
        }),
      ],
    }),
  );

  const [window, ...more] = everything(store);
  assert.deepEqual(more, []);
  assert.deepEqual(collapsed(window), ['run;handle;encode 2', 'run;handle 1']);
  const { stacks: _, ...facts } = window ?? { stacks: [] };
  assert.deepEqual(facts, {
    pod: 'uid-1/app',
    startMs: EPOCH_MS,
    endMs: EPOCH_MS + WINDOW_MS,
    podStartedAtMs: EPOCH_MS - 600_000,
    samplesTaken: 3,
    samplesLost: 1,
    hz: 49,
    cpuUsec: 5_000_000,
    throttledUsec: 0,
    flags: '-XX:+A -XX:+B',
    host: { pod: 'orders-1', node: 'node-a', cpuModel: 'AMD EPYC' },
  });
});

test('a batch pushed twice changes nothing', (t) => {
  const store = aStore(t, aPath(t));

  const first = store.addBatch(aBatch());
  const again = store.addBatch(aBatch({ pods: [aPodWindow({ samples: 99 })] }));

  assert.deepEqual(first, { isNew: true, windowsStored: 1, windowsLeftOut: 0 });
  assert.deepEqual(again, { isNew: false, windowsStored: 0, windowsLeftOut: 0 });
  assert.equal(everything(store)[0]?.samplesTaken, 3);
});

test('a window of another boot for the same container and start changes nothing', (t) => {
  const store = aStore(t, aPath(t));
  store.addBatch(aBatch());

  const again = store.addBatch(aBatch({ boot: 'boot-0002', pods: [aPodWindow({ samples: 99 })] }));

  assert.deepEqual(again, { isNew: true, windowsStored: 0, windowsLeftOut: 0 });
  assert.deepEqual(
    everything(store).map((window) => window.samplesTaken),
    [3],
  );
});

test('windows are chosen by pod, container and time, and come in order of time', (t) => {
  const store = aStore(t, aPath(t));
  const both = [aPodWindow(), aPodWindow({ container: 'sidecar' }), aPodWindow({ podUid: 'uid-2' })];
  for (const sequence of [2, 0, 1]) store.addBatch(aBatch({ sequence, pods: both }));

  const windows = store.windows({
    pods: [{ podUid: 'uid-1', container: 'app' }, { podUid: 'uid-2' }],
    fromMs: EPOCH_MS + WINDOW_MS,
    toMs: EPOCH_MS + 3 * WINDOW_MS,
  });

  assert.deepEqual(
    windows.map(({ pod, startMs }) => [pod, (startMs - EPOCH_MS) / WINDOW_MS]),
    [
      ['uid-1/app', 1],
      ['uid-2/app', 1],
      ['uid-1/app', 2],
      ['uid-2/app', 2],
    ],
  );
});

test('windows that end by a time can be left out', (t) => {
  const store = aStore(t, aPath(t));
  for (const sequence of [0, 1, 2]) store.addBatch(aBatch({ sequence }));

  const windows = store.windows({
    pods: [{ podUid: 'uid-1' }],
    fromMs: EPOCH_MS,
    endAfterMs: EPOCH_MS + WINDOW_MS,
    toMs: EPOCH_MS + 2 * WINDOW_MS,
  });

  assert.deepEqual(
    windows.map(({ endMs }) => endMs - EPOCH_MS),
    [2 * WINDOW_MS],
  );
});

test('extents tell of each container how far its windows go, and whether one came since', (t) => {
  const store = aStore(t, aPath(t));
  const query = {
    pods: [{ podUid: 'uid-1' }, { podUid: 'uid-9' }],
    fromMs: EPOCH_MS,
    toMs: EPOCH_MS + WINDOW_MS,
  };
  assert.deepEqual(store.extents(query), []);

  store.addBatch(aBatch({ sequence: 1 }));
  store.addBatch(aBatch({ pods: [aPodWindow()] }));
  const [before] = store.extents(query);
  store.addBatch(aBatch({ node: 'node-b', pods: [aPodWindow({ container: 'late' })] }));
  const after = store.extents(query);

  assert.equal(before?.lastEndMs, EPOCH_MS + WINDOW_MS);
  assert.deepEqual(
    after.map(({ pod, newestId }) => [pod, newestId > before.newestId]),
    [
      ['uid-1/app', false],
      ['uid-1/late', true],
    ],
  );
});

test('equal stacks of different windows share one frames array', (t) => {
  const store = aStore(t, aPath(t));
  store.addBatch(aBatch({ sequence: 0 }));
  store.addBatch(
    aBatch({
      sequence: 1,
      strings: ['run', 'handle', 'encode'],
      stacks: [[2, 1, 0]],
      pods: [aPodWindow({ counts: [[0, 5]] })],
    }),
  );

  const [first, second] = everything(store);

  assert.deepEqual(collapsed(second), ['run;handle;encode 5']);
  assert.equal(first?.stacks.stacks[0], second?.stacks.stacks[0]);
});

test('places come back with their stacks, and the same frames at other places share one array', (t) => {
  const store = aStore(t, aPath(t));
  store.addBatch(
    aBatch({
      strings: ['encode', 'handle', 'Codec.kt:87', 'Codec.kt:91'],
      stacks: [[0, 1], [0, 1], [1]],
      places: [[3, 0], [4, 0], []],
      pods: [aPodWindow({ counts: [0, 1, 2].map((stack) => [stack, 1]) })],
    }),
  );

  const [first, second, third] = everything(store)[0]?.stacks ?? [];

  assert.deepEqual(
    [first?.places, second?.places, third?.places],
    [['Codec.kt:87', ''], ['Codec.kt:91', ''], undefined],
  );
  assert.equal(first?.frames, second?.frames);
});

test('a place that is still in use is kept when names are swept', (t) => {
  let nowMs = EPOCH_MS + WINDOW_MS;
  const store = aStore(t, aPath(t), { now: () => nowMs, retentionMs: 60 * 60_000 });
  store.addBatch(
    aBatch({
      strings: ['encode', 'Codec.kt:87'],
      stacks: [[0]],
      places: [[2]],
      pods: [aPodWindow({ counts: [[0, 1]] })],
    }),
  );

  nowMs += 20 * 60_000;
  store.addBatch(aBatch({ sequence: 120 }));

  assert.deepEqual(everything(store)[0]?.stacks.stacks[0]?.places, ['Codec.kt:87']);
});

test('the window of a pod without a gate, which carries no stacks, is left out; that of an idle pod is kept', (t) => {
  const store = aStore(t, aPath(t));

  const added = store.addBatch(
    aBatch({
      pods: [
        aPodWindow({ podUid: 'ungated', samples: 40, counts: [] }),
        aPodWindow({ podUid: 'idle', samples: 0, cpuUsec: 0, counts: [] }),
      ],
    }),
  );

  assert.deepEqual(added, { isNew: true, windowsStored: 1, windowsLeftOut: 1 });
  assert.equal(everything(store, 'idle').length, 1);
  assert.equal(everything(store, 'ungated').length, 0);
});

test('windows, and the names only they used, go when the retention is over', (t) => {
  let nowMs = EPOCH_MS + WINDOW_MS;
  const path = aPath(t);
  const store = aStore(t, path, { now: () => nowMs, retentionMs: 60 * 60_000 });
  store.addBatch(aBatch({ sequence: 0, strings: ['onlyInTheFirst', 'handle', 'run'] }));

  nowMs = EPOCH_MS + 70 * 60_000;
  const fresh = 6 * 69;
  store.addBatch(aBatch({ sequence: fresh }));
  const late = store.addBatch(aBatch({ sequence: 1 }));

  assert.deepEqual(late, { isNew: true, windowsStored: 0, windowsLeftOut: 1 });
  assert.deepEqual(
    everything(store).map((window) => window.startMs),
    [EPOCH_MS + fresh * WINDOW_MS],
  );
  store.close();
  const bytes = readFileSync(path).includes('onlyInTheFirst');
  assert.equal(bytes, false);
});

test('a store that would outgrow its bound drops its oldest windows first and counts them', (t) => {
  let nowMs = EPOCH_MS;
  const store = aStore(t, aPath(t), { now: () => nowMs, maxBytes: 1024 * 1024 });

  for (let sequence = 0; sequence < 300; sequence++) {
    nowMs = EPOCH_MS + (sequence + 1) * WINDOW_MS;
    store.addBatch(aLargeBatch(sequence));
  }

  const windows = everything(store);
  assert.ok(store.stats().bytes <= 1024 * 1024, `${store.stats().bytes} bytes`);
  assert.ok(store.stats().windowsDroppedEarly > 0);
  assert.equal(windows.at(-1)?.startMs, EPOCH_MS + 299 * WINDOW_MS);
  assert.equal(windows.length + store.stats().windowsDroppedEarly, 300);
});

function aLargeBatch(sequence: number, nameLength = 60): Batch {
  const strings = Array.from(
    { length: 50 },
    (_, index) => `window${sequence}/function${index}/${'x'.repeat(nameLength)}`,
  );
  return aBatch({
    sequence,
    strings,
    stacks: strings.map((_, index) => [index]),
    pods: [aPodWindow({ samples: 50, counts: strings.map((_, index) => [index, 1]) })],
  });
}

test('a batch that does not fit is refused with STORE_FULL and nothing of it is kept', (t) => {
  const store = aStore(t, aPath(t), { maxBytes: 256 * 1024 });
  const strings = Array.from({ length: 2_000 }, (_, index) => `${index}${'y'.repeat(500)}`);
  const huge = aBatch({
    strings,
    stacks: strings.map((_, index) => [index]),
    pods: [aPodWindow({ counts: strings.map((_, index) => [index, 1]) })],
  });

  assert.throws(
    () => store.addBatch(huge),
    (error) => error instanceof StoreError && error.code === 'STORE_FULL',
  );

  assert.deepEqual(everything(store), []);
  assert.equal(store.addBatch(aBatch()).isNew, true);
  assert.deepEqual(collapsed(everything(store)[0]), ['run;handle;encode 2', 'run;handle 1']);

  store.limit({ retentionMs: 3_600_000, maxBytes: 8 << 20 });
  store.addBatch({ ...huge, sequence: 1, startMs: EPOCH_MS + WINDOW_MS, endMs: EPOCH_MS + 2 * WINDOW_MS });
  assert.deepEqual(
    collapsed(everything(store)[1]),
    strings.map((name) => `${name} 1`),
  );
});

test('the id of the store stays with its file', (t) => {
  const path = aPath(t);
  const first = aStore(t, path);
  const id = first.storeId();
  first.close();

  assert.equal(aStore(t, path).storeId(), id);
  assert.notEqual(aStore(t, `${path}2`).storeId(), id);
});

test('a file that is no database is moved aside, counted, and a new one with a new id begun', (t) => {
  const path = aPath(t);
  writeFileSync(path, 'this was a database once '.repeat(400));

  const store = aStore(t, path);

  assert.equal(store.stats().corruptFiles, 1);
  assert.ok(readdirSync(join(path, '..')).includes('windows.db.corrupt'));
  assert.equal(store.addBatch(aBatch()).windowsStored, 1);
});

test('a database with broken pages is moved aside when it is opened', (t) => {
  const path = aPath(t);
  const before = aStore(t, path);
  for (let sequence = 0; sequence < 20; sequence++) before.addBatch(aLargeBatch(sequence));
  const id = before.storeId();
  before.close();
  const bytes = readFileSync(path);
  bytes.fill(0x5a, 8192, bytes.length - 4096);
  writeFileSync(path, bytes);

  const store = aStore(t, path);

  assert.equal(store.stats().corruptFiles, 1);
  assert.notEqual(store.storeId(), id);
});

test('a database that breaks while it is open is replaced at once, with a new id, and work goes on', (t) => {
  const path = aPath(t);
  const before = aStore(t, path);
  // more than the page cache holds, so that not everything is read before it breaks
  for (let sequence = 0; sequence < 200; sequence++) before.addBatch(aLargeBatch(sequence, 900));
  before.close();
  const store = aStore(t, path);
  const id = store.storeId();
  const bytes = readFileSync(path);
  bytes.fill(0x5a, 4096);
  writeFileSync(path, bytes);

  assert.throws(
    () => everything(store),
    (error) => error instanceof StoreError && error.code === 'STORE_READ_FAILED',
  );

  assert.equal(store.stats().corruptFiles, 1);
  assert.notEqual(store.storeId(), id);
  assert.equal(store.addBatch(aBatch()).windowsStored, 1);
});

test('pods of an evaluation are remembered across restarts', (t) => {
  const path = aPath(t);
  const before = aStore(t, path);
  before.rememberPods('report-1', 'canary', [{ podUid: 'uid-1', container: 'app' }]);
  before.rememberPods('report-1', 'canary', [{ podUid: 'uid-1', container: 'app' }]);
  before.close();

  const store = aStore(t, path);

  assert.deepEqual(store.rememberedPods('report-1', 'canary'), [{ podUid: 'uid-1', container: 'app' }]);
  assert.deepEqual(store.rememberedPods('report-1', 'baseline'), []);
});

test('a writer killed in mid-stream loses nothing it acknowledged, and sending again doubles nothing', {
  timeout: 30_000,
}, async (t) => {
  const path = aPath(t);
  const acknowledged = await writeUntilKilled(path, 150);

  const store = aStore(t, path, { now: () => EPOCH_MS });

  const stored = everything(store).map((window) => (window.startMs - EPOCH_MS) / WINDOW_MS);
  const expected = Array.from({ length: acknowledged + 1 }, (_, sequence) => sequence);
  assert.deepEqual(stored.slice(0, expected.length), expected);
  assert.ok(stored.length <= expected.length + 1, 'at most the batch under way when it was killed');
  for (const sequence of stored) assert.equal(store.addBatch(aBatch({ sequence })).isNew, false);
  assert.equal(everything(store).length, stored.length);
  assert.equal(store.stats().corruptFiles, 0);
});

/** Returns the sequence of the last batch that the writer named as stored. */
async function writeUntilKilled(path: string, atLeast: number): Promise<number> {
  const script = join(import.meta.dirname, 'testing/endless-writer.ts');
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let last = -1;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (last >= atLeast) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return last;
}
