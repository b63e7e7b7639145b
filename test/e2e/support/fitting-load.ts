/** A load that uses the machine it finds: more samples decide sooner, but a starved node measures its own queue. */
import { availableParallelism } from 'node:os';
import { startLoad } from '../../../scripts/demo/load.ts';
import { cpuSecondsOfPods } from './host.ts';

/** Of all cores, for the pods under load, as young as they are when it is measured: warm, they need two thirds of it. */
const PODS_PART = 0.7;
const RATES = { least: 3, most: 30 } as const; // requests per second and pod
const PROBE_RATE = 6;
const PROBE_SECONDS = 20;

/** Pods of a namespace by group, as the load generator takes them. */
export interface LoadedPods {
  readonly namespace: string;
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** The rate per pod that keeps so large a part of the machine busy with pods, from what a gentle one costs them. */
export async function fittingRate(
  { namespace, groups }: LoadedPods,
  podsPart: number = PODS_PART,
): Promise<number> {
  const pods = Object.values(groups).flat().length;
  const before = await cpuSecondsOfPods(namespace);
  await startLoad(groups, PROBE_RATE, PROBE_SECONDS).ended;
  const spent = (await cpuSecondsOfPods(namespace)) - before;
  const perRequest = spent / (PROBE_RATE * PROBE_SECONDS * pods);
  const fitting = (podsPart * availableParallelism()) / pods / perRequest;
  const rate = Math.max(RATES.least, Math.min(RATES.most, Math.round(fitting)));
  console.log(
    `a request costs ${(perRequest * 1000).toFixed(1)} ms of CPU: ${rate} a second for each of ${pods} pods`,
  );
  return rate;
}
