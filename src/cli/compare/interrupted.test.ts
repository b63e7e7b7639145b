/** A comparison that is ended from outside, at a terminal or by a job that is over, leaves nothing running. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

const directory = mkdtempSync(join(tmpdir(), 'flamegate-interrupted-'));
after(() => rmSync(directory, { recursive: true }));

async function eventually(what: string, isSo: () => boolean): Promise<void> {
  for (let look = 0; look < 1_200 && !isSo(); look++) await delay(50);
  assert.ok(isSo(), what);
}

interface Begun {
  readonly child: ChildProcess;
  /** Of a service in a session of its own, which never is ready. */
  readonly isRunning: () => boolean;
}

async function begun(t: TestContext, name: string, service: string): Promise<Begun> {
  const file = join(directory, name);
  const baseline = `echo $$ > ${file}.part; mv ${file}.part ${file}; ${service}`;
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../main.ts'), 'compare', '--baseline', baseline, '--canary', baseline],
    { stdio: 'ignore', env: { ...process.env, TMPDIR: directory } },
  );
  t.after(() => child.kill('SIGKILL'));
  await eventually('the service runs', () => existsSync(file));
  const stat = `/proc/${readFileSync(file, 'utf8').trim()}/stat`;
  const isRunning = () => existsSync(stat) && !/\) Z /.test(readFileSync(stat, 'latin1'));
  assert.ok(isRunning());
  return { child, isRunning };
}

for (const signal of ['SIGINT', 'SIGHUP'] as const) {
  test(`${signal} ends the service, and says that nothing is decided`, async (t) => {
    const { child, isRunning } = await begun(t, signal, 'exec sleep 600');
    const exit = once(child, 'exit');

    child.kill(signal);

    assert.deepEqual(await exit, [3, null]);
    assert.equal(isRunning(), false);
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.startsWith('flamegate-compare-')),
      [],
    );
  });
}

test('the second Ctrl-C waits for nobody, and leaves nobody', async (t) => {
  const { child, isRunning } = await begun(t, 'deaf', 'trap "" TERM INT; while :; do sleep 0.1; done');
  const exit = once(child, 'exit');

  const impatient = setInterval(() => child.kill('SIGINT'), 200);
  t.after(() => clearInterval(impatient));

  assert.deepEqual(await exit, [130, null]);
  await eventually('it is gone', () => !isRunning());
});
