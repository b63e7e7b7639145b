/** The one write of this project: what it changes in real JVMs, and what keeps it from writing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LIVE_FLAG } from '../jvm/live-flag.ts';
import { aJvm, hotspotOf, jdkHome, RELEASES, type WaitingJvm } from '../jvm/testing/a-jvm.ts';
import { readFlags } from '../jvm/vm-flags.ts';
import { setFlagByte } from '../native/flag-byte.ts';
import { samplerOptions } from '../native/sampler-fixture.ts';
import { attemptLive, LATE_MS, type LiveOutcome } from './live-attempt.ts';
import { ageMs, readProcessFacts } from './process-facts.ts';
import { openProcessMemory } from './process-memory.ts';

const { addonPath } = samplerOptions();
const access = { procRoot: '/proc', addonPath };
const now = () => Number(process.hrtime.bigint()) / 1e6;
const UNLOCK = '-XX:+UnlockDiagnosticVMOptions';

/** As if its exec had been seen so long ago. */
async function attempt(pid: number, agoMs: number | 'unseen' = 0): Promise<LiveOutcome | undefined> {
  const facts = readProcessFacts('/proc', pid) ?? assert.fail('it ended');
  const execMs = agoMs === 'unseen' ? undefined : now() - agoMs;
  return attemptLive({ facts, execMs, signal: new AbortController().signal }, access);
}

const flagOf = ({ read, ...jvm }: WaitingJvm) => {
  const flag = readFlags(read, hotspotOf({ read, ...jvm }).structs, [LIVE_FLAG])?.get(LIVE_FLAG);
  return flag ?? assert.fail('no flag');
};

/** Addresses of bytes that an attempt changes in all that the process may write; it stands still meanwhile. */
async function changedBy(
  { pid }: Pick<WaitingJvm, 'pid'>,
  act: () => Promise<LiveOutcome | undefined>,
): Promise<{ outcome: LiveOutcome | undefined; changed: bigint[] }> {
  process.kill(pid, 'SIGSTOP');
  try {
    const before = writableMemory(pid);
    const outcome = await act();
    const after = writableMemory(pid);
    assert.deepEqual([...after.keys()], [...before.keys()]);
    const changed = [...before].flatMap(([start, bytes]) => differences(start, bytes, after.get(start)));
    return { outcome, changed };
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

function writableMemory(pid: number): Map<bigint, Uint8Array> {
  using memory = openProcessMemory('/proc', pid);
  const regions = readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/^([0-9a-f]+)-([0-9a-f]+) .w/gm);
  const found = new Map<bigint, Uint8Array>();
  for (const [, from = '', to = ''] of regions) {
    const [start, end] = [BigInt(`0x${from}`), BigInt(`0x${to}`)];
    const bytes = memory.read(start, Number(end - start));
    if (bytes) found.set(start, bytes);
  }
  assert(found.size > 20, 'there is much that a JVM may write');
  return found;
}

function differences(start: bigint, before: Uint8Array, after: Uint8Array | undefined): bigint[] {
  if (!after) assert.fail('a mapping is gone');
  if (Buffer.compare(before, after) === 0) return [];
  return [...before.keys()].filter((i) => before[i] !== after[i]).map((i) => start + BigInt(i));
}

for (const release of RELEASES) {
  test(`JDK ${release}: exactly one byte is written, and the flag is on`, async (t) => {
    const jvm = await aJvm(t, release);
    const { address } = flagOf(jvm);

    const { outcome, changed } = await changedBy(jvm, () => attempt(jvm.pid));

    assert.deepEqual([outcome?.state, outcome?.reason], ['Set', 'Set']);
    assert.deepEqual(changed, [address]);
    assert.deepEqual(flagOf(jvm), { on: true, origin: 'DEFAULT', address });
    assert.equal((await attempt(jvm.pid))?.state, 'AlreadyOn');
  });

  test(`JDK ${release}: a JVM that was given the flag, on or off, is left alone`, async (t) => {
    const on = await aJvm(t, release, [UNLOCK, '-XX:+DebugNonSafepoints']);
    const off = await aJvm(t, release, [UNLOCK, '-XX:-DebugNonSafepoints']);

    const one = await changedBy(on, () => attempt(on.pid));
    const other = await changedBy(off, () => attempt(off.pid));

    assert.deepEqual([one.outcome?.state, one.changed], ['AlreadyOn', []]);
    assert.deepEqual([other.outcome?.state, other.outcome?.reason], ['Refused', 'FlagSetByUser']);
    assert.deepEqual([other.changed, flagOf(off).on], [[], false]);
  });
}

test('a JVM that has run for a while is too old, by its exec or else by its process', async (t) => {
  const jvm = await aJvm(t, 25);
  const facts = readProcessFacts('/proc', jvm.pid) ?? assert.fail();
  while (ageMs('/proc', facts) < LATE_MS) await delay(50);

  const byExec = await changedBy(jvm, () => attempt(jvm.pid, 5_000));
  const byProcess = await changedBy(jvm, () => attempt(jvm.pid, 'unseen'));

  for (const { outcome, changed } of [byExec, byProcess]) {
    assert.deepEqual([outcome?.state, outcome?.reason, changed], ['TooLate', 'JvmTooOld', []]);
  }
  assert((byExec.outcome?.ageMs ?? 0) >= 5_000);
});

test('a JVM that an agent of before has set is on, however old it is', async (t) => {
  const jvm = await aJvm(t, 21);
  await attempt(jvm.pid);

  const { outcome, changed } = await changedBy(jvm, () => attempt(jvm.pid, 60_000));

  assert.deepEqual([outcome?.state, outcome?.reason, changed], ['AlreadyOn', 'SetBefore', []]);
});

test('a JVM that is met before it has mapped anything gets the flag as soon as it can', async (t) => {
  const child = spawn(`${jdkHome(21)}/bin/java`, ['-Xmx32m', '-cp', '/nowhere', 'Nowhere'], {
    stdio: 'ignore',
  });
  t.after(() => child.kill('SIGKILL'));

  const outcome = await attempt(child.pid ?? 0);

  assert(outcome === undefined || outcome.state === 'Set', JSON.stringify(outcome)); // it ends by itself, and may be faster
});

test('JVMs that end at any step end the attempt, and nothing else', async (t) => {
  const classes = (await aJvm(t, 17)).classes;
  const lifetimes = Array.from({ length: 14 }, (_, i) => 15 * i);

  const outcomes = await Promise.all(
    lifetimes.map(async (lifeMs) => {
      const child = spawn(`${jdkHome(17)}/bin/java`, ['-Xmx32m', '-cp', classes, 'Waiting']);
      const attempted = attempt(child.pid ?? 0);
      await delay(lifeMs);
      child.kill('SIGKILL');
      return attempted;
    }),
  );

  for (const outcome of outcomes) assert(outcome === undefined || outcome.state === 'Set', outcome?.message);
  assert(outcomes.includes(undefined));
});

test('a process without a JVM is none of ours, and a wish that is withdrawn ends the attempt', async (t) => {
  const sleeper = spawn('sleep', ['60']);
  t.after(() => sleeper.kill('SIGKILL'));
  const facts = readProcessFacts('/proc', sleeper.pid ?? 0) ?? assert.fail();
  const cancel = new AbortController();

  const attempted = attemptLive({ facts, execMs: now(), signal: cancel.signal }, access);
  cancel.abort();

  assert.equal(await attempted, undefined);
});

test('a byte that is not 0, not writable or not there is not written', async (t) => {
  const jvm = await aJvm(t, 25);
  const { address } = flagOf(jvm);
  const set = (at: bigint, pid = jvm.pid) => setFlagByte(addonPath, pid, at);
  const text = /^([0-9a-f]+)-([0-9a-f]+) r--p .*libjvm\.so$/m.exec(
    readFileSync(`/proc/${jvm.pid}/maps`, 'utf8'),
  );
  const start = BigInt(`0x${text?.[1] ?? '0'}`);
  const page = jvm.read(start, 4096) ?? assert.fail();
  const zero = start + BigInt(page.indexOf(0));

  assert.deepEqual(set(zero), { result: 'Unwritable', error: 'EFAULT' });
  assert.deepEqual(jvm.read(start, 4096), page);
  assert.deepEqual(set(1n), { result: 'Unreadable', error: 'EFAULT' });
  assert.deepEqual(set(address, 2 ** 22 - 1), { result: 'Unreadable', error: 'ESRCH' });
  assert.deepEqual(set(address), { result: 'Set', error: '' });
  assert.deepEqual(set(address), { result: 'NotZero', error: '' });
});
