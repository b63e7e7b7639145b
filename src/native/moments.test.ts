/** When samples were, and of which thread; and who read and answered a request, while its JVM stood still or not. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { perfCounterAt } from '../jvm/perf-counters.ts';
import { hotspotOf } from '../jvm/testing/a-jvm.ts';
import { loadedLibjvm, openMemory } from '../jvm/testing/process-memory.ts';
import { aBusyProcess, aSampler, eventually, processCpuSeconds } from './sampler-fixture.ts';
import { askedByJdk, aWatchedJvm } from './testing/peers.ts';

const now = () => Number(process.hrtime.bigint()); // CLOCK_MONOTONIC, as BPF's

test('each sample of a target that was asked for has its moment, and no other has', async (t) => {
  const [timed, other] = [await aBusyProcess(t, 'shell'), await aBusyProcess(t, 'shell')];
  const sampler = aSampler(t, { filter: 'pid' });
  sampler.keepMoments(new Set([BigInt(timed)]));
  for (const pid of [timed, other]) sampler.addTarget(BigInt(pid));
  const beganNs = now();
  const until = processCpuSeconds(timed) + 0.5;

  await eventually('it computed', () => processCpuSeconds(timed) > until);
  const batch = sampler.take();
  const endedNs = now();

  const rows = batch.rows.filter((row) => row.pid === timed);
  assert(rows.length > 0 && batch.rows.length > rows.length);
  for (const row of rows)
    assert.equal(batch.moments.filter((moment) => moment.row === row).length, row.count);
  assert.equal(
    batch.moments.length,
    rows.reduce((sum, { count }) => sum + count, 0),
  );
  for (const { thread, atNs } of batch.moments) {
    assert.equal(thread, timed);
    assert(atNs >= beganNs && atNs <= endedNs);
  }
  sampler.keepMoments(new Set());
  sampler.take();
  await eventually('it computed on', () => processCpuSeconds(timed) > until + 0.3);
  assert.deepEqual(sampler.take().moments, []);
});

test('a request tells who read it and who answered it, and how long its JVM stood still meanwhile', async (t) => {
  const peer = await aWatchedJvm(t, 'jdk', 21);
  using memory = openMemory(peer.pid);
  const libjvm = loadedLibjvm(peer.pid) ?? assert.fail('no libjvm');
  const { structs } = hotspotOf({ read: memory.read, libjvm });
  const counter = perfCounterAt(memory.read, structs, 'sun.rt.safepointTime') ?? assert.fail('no counter');
  await askedByJdk(t, peer.port, ['/fast']);
  const [before] = await peer.exchanges(1);

  peer.watcher.countStops(peer.pid, counter);
  await askedByJdk(t, peer.port, ['/collect', '/fast']);
  const both = await peer.exchanges(2);

  const threads = readdirSync(`/proc/${peer.pid}/task`).map(Number);
  assert.equal(before?.stoppedNs, undefined);
  for (const { process, receiver, sender, receivedAtNs, startedAtNs } of both) {
    assert.equal(process, peer.pid);
    assert.equal(receiver, sender);
    assert(threads.includes(receiver));
    assert(receivedAtNs >= startedAtNs);
  }
  const { stoppedNs = 0, latencyNs } = both[0] ?? assert.fail('no exchange');
  t.diagnostic(`stood still ${stoppedNs} of ${latencyNs} ns, ${both[1]?.stoppedNs}`);
  assert(stoppedNs > 0 && stoppedNs <= latencyNs);
  peer.watcher.forgetStops(peer.pid);
  await askedByJdk(t, peer.port, ['/fast']);
  assert.equal((await peer.exchanges(1))[0]?.stoppedNs, undefined);
});
