/** A load that uses the machine it finds: more samples decide sooner, but a starved node measures its own queue. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLoad } from '../../../scripts/demo/load.ts';

const BUSY_PART = 0.65; // of the machine's CPU time, the cluster's own work included
const RATES = { least: 5, most: 30 } as const; // requests per second and pod
const PROBE_RATE = 6;
const PROBE_SECONDS = 20;
const IDLE_SECONDS = 8;

/** The rate per pod that keeps the machine as busy as it should be, from what a gentle one costs. */
export async function fittingRate(groups: Readonly<Record<string, readonly string[]>>): Promise<number> {
  const idle = await busyPartDuring(() => sleep(IDLE_SECONDS * 1000));
  const loaded = await busyPartDuring(async () => {
    await startLoad(groups, PROBE_RATE, PROBE_SECONDS).ended;
  });
  const perRequest = Math.max(0.001, (loaded - idle) / PROBE_RATE);
  const rate = Math.round((BUSY_PART - idle) / perRequest);
  const bounded = Math.max(RATES.least, Math.min(RATES.most, rate));
  console.log(
    `${percent(idle)} busy without load, ${percent(loaded)} at ${PROBE_RATE} requests per second and pod: taking ${bounded}`,
  );
  return bounded;
}

async function busyPartDuring(work: () => Promise<void>): Promise<number> {
  const before = cpuTimes();
  await work();
  const after = cpuTimes();
  return 1 - (after.idle - before.idle) / Math.max(1, after.whole - before.whole);
}

/** Of all CPUs, in ticks (proc_stat(5)): user, nice, system, idle, iowait, irq, softirq, steal. */
function cpuTimes(): { readonly idle: number; readonly whole: number } {
  const line = readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '';
  const times = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const [, , , idle = 0, iowait = 0] = times;
  return { idle: idle + iowait, whole: times.reduce((sum, time) => sum + time, 0) };
}

const percent = (part: number): string => `${Math.round(part * 100)} %`;
