import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { namesOfJvm } from './attach.ts';
import { openAttachJournal, recoverFromJournal } from './attach-journal.ts';
import { aDirectory, aJvm, attachOptions, eventually, JDKS, type RunningJvm } from './jvm-fixture.ts';
import { catchesSigquit, isAlive } from './process-facts.ts';

const ours = (jvm: RunningJvm) =>
  readdirSync(jvm.tmp).filter(
    (name) => /^(perf-|\.attach_pid)/.test(name) && name.includes(`${jvm.facts.nsPid}`),
  );
const aliveAndCompiling = async (jvm: RunningJvm) =>
  eventually('SIGQUIT is caught', () => catchesSigquit('/proc', jvm.facts.pid));

for (const jdk of JDKS) {
  for (const contained of [false, true]) {
    const where = contained ? 'in namespaces of its own, as another user' : 'beside us';

    test(`${jdk.split('/').at(-1)} ${where} gives its names, and nothing of ours stays`, async (t) => {
      const jvm = await aJvm(t, { jdk, contained });
      await aliveAndCompiling(jvm);

      const outcome = await namesOfJvm(jvm.facts, await attachOptions(t));

      assert(outcome.kind === 'named', JSON.stringify(outcome));
      assert(outcome.map.entries > 100);
      assert.equal(outcome.map.garbageLines, 0);
      assert.equal(jvm.facts.nsPid === 1, contained);
      assert.deepEqual(ours(jvm), []);
      outcome.map.close();
    });
  }
}

test('a JVM with -XX:+DisableAttachMechanism prints its threads at most, and lives', async (t) => {
  const jvm = await aJvm(t, { flags: ['-XX:+DisableAttachMechanism'] });
  await aliveAndCompiling(jvm);

  const outcome = await namesOfJvm(jvm.facts, await attachOptions(t));

  assert.deepEqual(outcome, {
    kind: 'failed',
    reason: 'AttachTimeout',
    message: 'no attach socket 5000 ms after SIGQUIT',
  });
  assert(isAlive('/proc', jvm.facts));
  assert.deepEqual(ours(jvm), []);
});

test('a JVM with -Xrs, which opens its socket by itself, gives its names without a signal', async (t) => {
  const jvm = await aJvm(t, { flags: ['-Xrs'] });

  const outcome = await namesOfJvm(jvm.facts, await attachOptions(t, 'connect'));

  assert.equal(outcome.kind, 'named', JSON.stringify(outcome));
  assert.deepEqual(ours(jvm), []);
});

test('a JVM with -Xrs and without its socket gets no SIGQUIT, which would end it', async (t) => {
  const jvm = await aJvm(t, { flags: ['-Xrs'] });
  rmSync(`/tmp/.java_pid${jvm.facts.nsPid}`);

  const outcome = await namesOfJvm(jvm.facts, await attachOptions(t));

  assert(outcome.kind === 'failed' && outcome.reason === 'SigquitNotCaught', JSON.stringify(outcome));
  assert(isAlive('/proc', jvm.facts));
  assert.deepEqual(ours(jvm), []);
});

test('a JVM that dies while it is asked is gone, not failed', async (t) => {
  const jvm = await aJvm(t, { flags: ['-XX:+DisableAttachMechanism'] });
  await aliveAndCompiling(jvm);

  const asked = namesOfJvm(jvm.facts, await attachOptions(t));
  await eventually('the attach has begun', () => ours(jvm).length > 0);
  process.kill(jvm.facts.pid, 'SIGKILL');

  assert.deepEqual(await asked, { kind: 'gone' });
});

test('a link in the place of the map is refused, and stays as it is', async (t) => {
  const jvm = await aJvm(t, { contained: true });
  await aliveAndCompiling(jvm);
  const link = `${jvm.tmp}/perf-1.map`;
  const victim = `${aDirectory(t)}/victim`;
  writeFileSync(victim, '7f0000000000 1000 stolen\n');
  symlinkSync(victim, link);

  const outcome = await namesOfJvm(jvm.facts, await attachOptions(t));

  assert(outcome.kind === 'failed' && outcome.reason === 'PerfMapRefused', JSON.stringify(outcome));
  assert(lstatSync(link).isSymbolicLink());
  assert.equal(readFileSync(victim, 'utf8'), '7f0000000000 1000 stolen\n');
});

test("another tool's map is read and left alone, also where we may do no more", async (t) => {
  const jvm = await aJvm(t);
  const map = `/tmp/perf-${jvm.facts.nsPid}.map`;
  writeFileSync(map, '7f0000000000 1000 Lshop/Codec;::decode\n');
  t.after(() => rmSync(map));

  const outcome = await namesOfJvm(jvm.facts, await attachOptions(t, 'read'));

  assert(outcome.kind === 'named' && outcome.source === 'ForeignPerfMap', JSON.stringify(outcome));
  assert(outcome.map.holds(0x7f0000000010));
  assert(existsSync(map));
  outcome.map.close();
});

test('without the grant nothing is put into the container', async (t) => {
  const jvm = await aJvm(t);
  await aliveAndCompiling(jvm);

  const outcome = await namesOfJvm(jvm.facts, await attachOptions(t, 'read'));

  assert(outcome.kind === 'failed' && outcome.reason === 'AttachNotGranted');
  assert.deepEqual(ours(jvm), []);
  assert(!existsSync(`/tmp/.java_pid${jvm.facts.nsPid}`));
});

test('what a killed agent left in a container is removed at the next start', async (t) => {
  const jvm = await aJvm(t, { contained: true });
  const directory = aDirectory(t);
  const journal = await openAttachJournal(directory);
  await journal.begin(jvm.facts);
  writeFileSync(`${jvm.tmp}/perf-1.map`, '');
  writeFileSync(`${jvm.tmp}/.attach_pid1`, '');

  const recovered = await recoverFromJournal(directory, '/proc');

  assert.equal(recovered, 1);
  assert.deepEqual(ours(jvm), []);
  assert.deepEqual(readdirSync(directory), []);
});
