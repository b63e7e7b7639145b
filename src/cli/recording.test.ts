import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCollapsed } from '../profile/collapsed.ts';
import { createWindowEncoder, encodeEndLine, type RecordedWindow } from '../wire/window-lines.ts';
import { createRecording, readRecording } from './recording.ts';
import { decodeAnswer } from './window-answers.ts';

const HOUR = Date.UTC(2026, 0, 2, 3);
const ABOUT = { namespace: 'shop', selector: 'app=orders', startedAtMs: HOUR };

const aWindow = (startMs: number, collapsed = 'main;run 5', podUid = 'uid-1'): RecordedWindow => ({
  meta: {
    node: 'n',
    namespace: 'shop',
    pod: 'orders-1',
    podUid,
    container: 'orders',
    startMs,
    endMs: startMs + 10_000,
    startedAtMs: HOUR,
    hz: 49,
    cpuUsec: 1,
    throttledUsec: 0,
    samples: 5,
    lost: 0,
    flags: '',
    jdk: '21',
  },
  stacks: parseCollapsed(collapsed),
});

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'flamegate-recording-'));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('windows come back unchanged, across polls and hours', () =>
  inDirectory(async (directory) => {
    const writer = await createRecording(directory, ABOUT);
    const first = [aWindow(HOUR), aWindow(HOUR, 'main;b 2', 'uid-2')];
    const second = [aWindow(HOUR + 10_000, 'main;run 1\nmain;c 2'), aWindow(HOUR + 3_600_000)];

    await writer.append(first);
    await writer.append(second);
    await writer.finish(HOUR + 4_000_000);
    const { index, windows } = await readRecording(directory);

    assert.deepEqual(windows, [...first, ...second]);
    assert.deepEqual(
      index.files.map(({ name, windows: count }) => [name, count]),
      [
        ['windows-2026-01-02T03.ndjson.gz', 3],
        ['windows-2026-01-02T04.ndjson.gz', 1],
      ],
    );
    assert.deepEqual([index.windows, index.pods, index.endedAtMs], [4, 2, HOUR + 4_000_000]);
  }));

test('a window that is polled twice is recorded once', () =>
  inDirectory(async (directory) => {
    const writer = await createRecording(directory, ABOUT);

    assert.equal(await writer.append([aWindow(HOUR)]), 1);
    assert.equal(await writer.append([aWindow(HOUR), aWindow(HOUR + 10_000)]), 1);

    assert.equal((await readRecording(directory)).windows.length, 2);
  }));

test('what a killed recorder left is read up to the last whole window', () =>
  inDirectory(async (directory) => {
    const writer = await createRecording(directory, ABOUT);
    await writer.append([aWindow(HOUR)]);
    await writer.append([aWindow(HOUR + 10_000)]);
    const file = join(directory, 'windows-2026-01-02T03.ndjson.gz');
    await truncate(file, (await readFile(file)).length - 25);

    assert.deepEqual((await readRecording(directory)).windows, [aWindow(HOUR)]);
  }));

test('a second recording into the same directory is refused', () =>
  inDirectory(async (directory) => {
    await createRecording(directory, ABOUT);

    await assert.rejects(createRecording(directory, ABOUT), { code: 'RECORDING_EXISTS' });
  }));

test('what cannot be written is said, and is no failed poll', () =>
  inDirectory(async (directory) => {
    const file = join(directory, 'taken');
    await writeFile(file, '');
    await assert.rejects(createRecording(file, ABOUT), { code: 'FILE_UNWRITABLE' });
    const writer = await createRecording(directory, ABOUT);
    await mkdir(join(directory, 'windows-2026-01-02T03.ndjson.gz'));

    await assert.rejects(writer.append([aWindow(HOUR)]), {
      code: 'FILE_UNWRITABLE',
      message: /T03\.ndjson\.gz/,
    });
  }));

test('a foreign index, and one that names other files, is refused', () =>
  inDirectory(async (directory) => {
    for (const index of [
      '{',
      '{"version":2,"files":[]}',
      '{"version":1,"files":[{"name":"../../passwd"}]}',
    ]) {
      await writeFile(join(directory, 'index.json'), index);
      await assert.rejects(readRecording(directory), { code: 'RECORDING_INVALID' }, index);
    }
    await assert.rejects(readRecording(join(directory, 'nowhere')), { code: 'RECORDING_INVALID' });
  }));

test('an answer without its end was cut, and none of it counts', () => {
  const line = createWindowEncoder()(aWindow(HOUR));

  assert.deepEqual(decodeAnswer(line + encodeEndLine(1)), [aWindow(HOUR)]);
  assert.throws(() => decodeAnswer(line), { code: 'CONTROLLER_UNREACHABLE', message: /the answer was cut/ });
  assert.throws(() => decodeAnswer(line + encodeEndLine(2)), { message: /1 windows, 2 announced/ });
});
