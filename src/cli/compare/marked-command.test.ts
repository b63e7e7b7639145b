import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startMarked } from './marked-command.ts';
import { freePort, isReady } from './ready.ts';

const directory = mkdtempSync(join(tmpdir(), 'flamegate-marked-'));
after(() => rmSync(directory, { recursive: true }));

async function eventually(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !isSo(); i++) await delay(50);
  assert.ok(isSo());
}

test('what has left its parent and its session is ended, too', async () => {
  const file = join(directory, 'pid');
  const started = startMarked(
    `setsid sh -c 'sleep 600 & echo $! > ${file}.part; mv ${file}.part ${file}' & exec sleep 600`,
    {},
  );
  await eventually(() => existsSync(file));
  const pid = readFileSync(file, 'utf8').trim();
  assert.equal(started.ended(), undefined);
  assert.ok(started.pids().length > 0);

  await started.end();

  assert.ok(!existsSync(`/proc/${pid}`) || /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')));
  await eventually(() => started.ended() === 'by SIGTERM');
  assert.deepEqual(started.pids(), []);
});

test('what was started is gone when whoever started it leaves without waiting', async () => {
  const file = join(directory, 'left');
  const command = `setsid sh -c 'echo $$ > ${file}.part; mv ${file}.part ${file}; exec sleep 600'`;
  const module = join(import.meta.dirname, 'marked-command.ts');
  const script = `
    import { existsSync } from 'node:fs';
    import { startMarked } from ${JSON.stringify(module)};
    startMarked(${JSON.stringify(command)}, {});
    setInterval(() => existsSync(${JSON.stringify(file)}) && process.exit(130), 20);
  `;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 60_000 });
  assert.equal(status, 130);
  const pid = readFileSync(file, 'utf8').trim();

  await eventually(
    () => !existsSync(`/proc/${pid}/environ`) || readFileSync(`/proc/${pid}/cmdline`).length === 0,
  );
});

test('how it ends by itself is known', async () => {
  const started = startMarked('exit "$CODE"', { CODE: '7' });
  await eventually(() => started.ended() !== undefined);
  assert.equal(started.ended(), 'with 7');
  await started.end();
});

test('a service is ready when it answers well, listens, or its time is over; not when it has ended', async () => {
  const port = await freePort();
  const options = { patienceMs: 1, isOver: () => false };
  const url = { kind: 'url', url: 'http://127.0.0.1:$PORT/ready' } as const;
  assert.equal(await isReady({ kind: 'port' }, port, options), false);
  assert.equal(await isReady(url, port, options), false);
  let status = 503;
  const server = createServer((_, answer) => answer.writeHead(status).end());
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));

  try {
    assert.equal(await isReady({ kind: 'port' }, port, options), true);
    assert.equal(await isReady(url, port, options), false);
    status = 204;
    assert.equal(await isReady(url, port, options), true);
    assert.equal(await isReady({ kind: 'wait', ms: 1 }, port, options), true);
    assert.equal(await isReady({ kind: 'wait', ms: 1 }, port, { ...options, isOver: () => true }), false);
  } finally {
    server.close();
  }
});
