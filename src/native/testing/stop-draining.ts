/** For tests: a process that samples another, and stops itself, and with it the reading of its ring; once it goes on it tells by one line of JSON what came. */
import { openSampler } from '../sampler.ts';
import { samplerOptions } from '../sampler-fixture.ts';

const sampler = openSampler(samplerOptions({ filter: 'pid', frequencyHz: 199, ringBytes: 4096 }));
sampler.addTarget(BigInt(process.argv[2] ?? ''));
process.kill(process.pid, 'SIGSTOP');
const [target] = sampler.take().targets;
console.log(JSON.stringify({ ...target, id: undefined, ringFull: sampler.counters().total.ringFull }));
sampler.close();
