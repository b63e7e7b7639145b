import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { aJvm } from '../../agent/jvm-fixture.ts';
import { encodeCollapsed } from '../../profile/collapsed.ts';
import { totalCount } from '../../profile/stack-counts.ts';
import { readProfiles } from '../profile-files.ts';
import { processTree } from './process-tree.ts';

const directory = mkdtempSync(join(tmpdir(), 'flamegate-local-'));
after(() => rmSync(directory, { recursive: true }));
const path = (name: string): string => join(directory, name);
const scratch = path('scratch'); // where it keeps what it works with
mkdirSync(scratch);

const flamegate = (...args: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, '../main.ts'), ...args], {
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, TMPDIR: scratch },
  });

test('a JVM that runs is recorded with its own names, as pprof and as text', async (t) => {
  const { facts } = await aJvm(t, { untouched: true });
  const pid = String(facts.pid);

  const recorded = flamegate(
    'record',
    '--pid',
    pid,
    '--duration',
    '3s',
    '--frequency',
    '199',
    '-o',
    path('a.pb.gz'),
  );

  assert.equal(recorded.status, 0, recorded.stderr);
  assert.match(
    recorded.stdout,
    /^wrote .*a\.pb\.gz: [\d,]+ samples of 3\.\d s at 199 Hz; JVM \d+ \(17\.[\d.]+\): Profiled/,
  );
  assert.equal(recorded.stderr, ''); // nobody watches
  const { baseline: stacks, unit } = await readProfiles(path('a.pb.gz'), path('a.pb.gz'));
  const named = stacks.filter(({ frames }) => frames.includes('Busy.main'));
  assert.equal(unit, 'samples');
  const others = stacks.filter((stack) => !named.includes(stack));
  assert.ok(totalCount(named) > 0.8 * totalCount(stacks), `${recorded.stdout}${encodeCollapsed(others)}`);
  assert.ok(stacks.some(({ places }) => places?.some((place) => /^Busy\.java:\d+$/.test(place))));
});

test('a file that cannot be written is refused before the recording, not after it', () => {
  const refused = flamegate(
    'record',
    '--duration',
    '1h',
    '-o',
    path('nowhere/a.pb.gz'),
    '--',
    'sleep',
    '3600',
  );

  assert.equal(refused.status, 4);
  assert.match(refused.stderr, /^flamegate: FILE_UNWRITABLE: cannot write .*nowhere\/a\.pb\.gz: ENOENT/);
});

test('its functions are shown as it runs, one table below the other in a file', async (t) => {
  const { facts } = await aJvm(t, { untouched: true });

  const top = flamegate('top', '--pid', String(facts.pid), '--every', '1s', '--times', '2');

  assert.equal(top.status, 0, top.stderr);
  const tables = top.stdout.split(/^SELF +WITH CALLEES +FUNCTION$/m).slice(1);
  assert.equal(tables.length, 2);
  for (const table of tables) assert.match(table, /^ *[\d.]+% +[\d.]+% +Busy\.(encodeSlowly|main)$/m);
});

test('a command is started, recorded with what it starts, and ended; its own failure is told', async () => {
  const loop = 'sh -c "while :; do :; done" & echo $! > "$0"; wait';
  const pidFile = path('pid');

  const recorded = flamegate(
    'record',
    '-o',
    path('b.collapsed'),
    '--duration',
    '2s',
    '--',
    'sh',
    '-c',
    loop,
    pidFile,
  );
  const failed = flamegate(
    'record',
    '-o',
    path('c.collapsed'),
    '--duration',
    '9s',
    '--',
    'sh',
    '-c',
    'for i in $(seq 300000); do :; done; exit 7',
  );
  const missing = flamegate('record', '-o', path('c.collapsed'), '--', '/nowhere/java');

  assert.equal(recorded.status, 0, recorded.stderr);
  assert.ok(totalCount((await readProfiles(path('b.collapsed'), path('b.collapsed'))).baseline) > 0);
  assert.equal(failed.status, 4);
  assert.match(failed.stderr, /COMMAND_FAILED: sh ended with 7/);
  assert.equal(missing.status, 4);
  assert.match(missing.stderr, /COMMAND_FAILED: \/nowhere\/java was not started/);
  assert.deepEqual(processTree('/proc', Number(readFileSync(pidFile, 'utf8'))), [], 'nothing is left');
  assert.deepEqual(readdirSync(scratch), []);
});

test('a process that is not there is said, and nothing is left', () => {
  for (const command of [['record', '-o', path('d.pb.gz')], ['top']]) {
    const { status, stderr } = flamegate(...command, '--pid', '4194304');
    assert.equal(status, 4);
    assert.match(stderr, /^flamegate: PROCESS_NOT_FOUND: there is no process 4194304/);
  }
  assert.deepEqual(readdirSync(scratch), []);
});

test('the tree of a process is itself and what it started, in that order', () => {
  const tree = processTree('/proc', process.pid);
  assert.equal(tree[0], process.pid);
  assert.deepEqual(processTree('/proc', 4_194_304), []);
});
