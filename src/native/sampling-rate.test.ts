import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { cgroupIdOf } from './cgroup-id.ts';
import { onlineCpus } from './online-cpus.ts';
import { aBusyProcess, aCgroup, aSampler, cgroupCpuSeconds, eventually } from './sampler-fixture.ts';

async function aBusyCgroup(t: TestContext) {
  const path = aCgroup(t);
  await aBusyProcess(t, 'shell', path);
  return { path, id: cgroupIdOf(path) };
}

/** The clock's ticks and a target's samples while the cgroups burn a second each. */
async function measured(
  sampler: ReturnType<typeof aSampler>,
  cgroups: readonly { readonly path: string; readonly id: bigint }[],
) {
  const used = () => Math.min(...cgroups.map(({ path }) => cgroupCpuSeconds(path)));
  const before = { cpu: used(), total: sampler.counters().total, ms: performance.now() };
  sampler.take();
  await eventually('they have had a second of CPU', () => used() - before.cpu > 1);
  const { targets } = sampler.take();
  const { total } = sampler.counters();
  const seconds = (performance.now() - before.ms) / 1_000;
  return {
    ticksPerSecond: (total.seen - before.total.seen) / seconds / onlineCpus().length,
    thinned: total.thinned - before.total.thinned,
    samples: new Map(targets.map(({ id, seen }) => [id, seen])),
  };
}

// A virtual CPU that its host has stopped misses ticks: at least the clock of before is told from that of after.
test('the clock changes its rate while it runs, and what was sampled before stays', async (t) => {
  const cgroup = await aBusyCgroup(t);
  const sampler = aSampler(t, { frequencyHz: 49 });
  sampler.addTarget(cgroup.id);
  const slow = await measured(sampler, [cgroup]);

  sampler.setFrequency(199);
  const fast = await measured(sampler, [cgroup]);
  sampler.setFrequency(49);
  const again = await measured(sampler, [cgroup]);

  const rates = [slow, fast, again].map(({ ticksPerSecond }) => ticksPerSecond);
  t.diagnostic(`ticks a second and CPU: ${rates.map((rate) => rate.toFixed(1)).join(', ')}`);
  const samples = [slow, fast, again].map((each) => each.samples.get(cgroup.id) ?? 0);
  t.diagnostic(`samples of a second of CPU: ${samples.join(', ')}`);
  assert(slow.ticksPerSecond < 54 && again.ticksPerSecond < 54);
  assert(fast.ticksPerSecond > 80 && fast.ticksPerSecond < 210, `${fast.ticksPerSecond}`);
  assert((samples[1] ?? 0) > 1.5 * Math.max(samples[0] ?? 0, samples[2] ?? 0));
});

test('a target that is thinned has its part of the ticks, another has all of its own', async (t) => {
  const [quarter, whole] = [await aBusyCgroup(t), await aBusyCgroup(t)];
  const sampler = aSampler(t, { frequencyHz: 199 });
  for (const { id } of [quarter, whole]) sampler.addTarget(id);
  sampler.thin(quarter.id, 0.25);

  const thin = await measured(sampler, [quarter, whole]);
  sampler.thin(quarter.id, 1);
  const full = await measured(sampler, [quarter, whole]);

  const of = ({ samples }: typeof thin, { id }: typeof whole) => samples.get(id) ?? 0;
  // Of its ticks, counted by what became of them: a ratio of 0.25 strays by 0.04 at a hundred.
  const kept = of(thin, quarter) / (of(thin, quarter) + thin.thinned);
  t.diagnostic(`${of(thin, quarter)} kept of ${of(thin, quarter) + thin.thinned}, beside ${of(thin, whole)}`);
  assert(of(thin, quarter) + thin.thinned > 60 && of(thin, whole) > 60);
  assert(kept > 0.08 && kept < 0.45, `${kept} kept`);
  assert.equal(full.thinned, 0);
  assert(of(full, quarter) > 60);
});

test('a target that comes again has all of its ticks, and a part of none is refused', async (t) => {
  const cgroup = await aBusyCgroup(t);
  const sampler = aSampler(t, { frequencyHz: 97 });
  sampler.addTarget(cgroup.id);
  sampler.thin(cgroup.id, 0.001);
  sampler.removeTarget(cgroup.id);
  sampler.addTarget(cgroup.id);

  const { thinned } = await measured(sampler, [cgroup]);

  assert.equal(thinned, 0);
  sampler.thin(1n, 0.5); // nobody's: nothing to thin
  assert.throws(() => sampler.thin(cgroup.id, 0), { code: 'SAMPLER_BAD_OPTION' });
  assert.throws(() => sampler.setFrequency(200), { code: 'SAMPLER_BAD_OPTION' });
});
