/** For tests: a process that unwinds another until it has seen some ticks, and tells by one line of JSON what became of them. */
import { setTimeout as delay } from 'node:timers/promises';
import { openSampler } from '../sampler.ts';
import { samplerOptions } from '../sampler-fixture.ts';

const pid = Number(process.argv[2]);
const sampler = openSampler(samplerOptions({ filter: 'pid' }));
sampler.addProcess({ pid });
sampler.addTarget(BigInt(pid));
const ticksOfTarget = () => {
  const { seen, idle, filtered } = sampler.counters().total;
  return seen - idle - filtered;
};
for (const end = Date.now() + 30_000; ticksOfTarget() < 50 && Date.now() < end; ) await delay(50);
const [target] = sampler.take().targets;
const { total, unwinding } = sampler.counters();
console.log(
  JSON.stringify({
    seen: target?.seen,
    noUserRegisters: total.noUserRegisters,
    complete: unwinding.complete,
  }),
);
sampler.close();
