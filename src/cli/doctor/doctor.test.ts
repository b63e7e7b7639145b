import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { aJvm } from '../../agent/jvm-fixture.ts';

const MAIN = join(import.meta.dirname, '../main.ts');
interface Finding {
  readonly what: string;
  readonly state: string;
  readonly found: string;
  readonly advice?: string;
}

function doctor(...before: readonly string[]) {
  const [program = '', ...args] = [...before, process.execPath, MAIN, 'doctor', '-o', 'json'];
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
    timeout: 120_000,
  });
  assert.notEqual(stdout, '', stderr);
  return { status, said: JSON.parse(stdout) as Record<'machine' | 'jvms', readonly Finding[]> };
}

test('every way of watching is tried, and each JVM told', async (t) => {
  const { facts } = await aJvm(t, { untouched: true });

  const { status, said } = doctor();

  assert.equal(status, 0);
  assert.deepEqual(
    said.machine.filter(({ state }) => state === 'Missing'),
    [],
  );
  const states = new Map(said.machine.map(({ what, state }) => [what, state]));
  assert.equal(states.get('CPU samples'), 'Ok');
  assert.equal(said.jvms.find(({ what }) => what.startsWith(`JVM ${facts.pid}, JDK 17.`))?.state, 'Ok');
});

test('who may not watch is told what is missing, and that nothing goes without it', () => {
  const { status, said } = doctor('setpriv', '--bounding-set=-bpf,-perfmon,-sys_admin', '--inh-caps=-all');

  assert.equal(status, 4);
  const missing = said.machine.filter(({ state }) => state === 'Missing');
  assert.deepEqual(
    missing.map(({ what }) => what),
    ['capabilities', 'CPU samples'],
  );
  assert.match(missing[0]?.found ?? '', /^without CAP_BPF, CAP_PERFMON$/);
  assert.match(missing[1]?.found ?? '', /NOT_PERMITTED: .* lacks CAP_BPF and CAP_PERFMON/);
});
