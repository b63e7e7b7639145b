/** A load that uses the machine it finds: more samples decide sooner, but a starved node measures its own queue. */
import { availableParallelism } from 'node:os';
import { startLoad } from '../../../scripts/demo/load.ts';
import { cpuSecondsOfPods } from './host.ts';

/** Of all cores, for the pods under load; the cluster, the generator and the other tests take their part beside. */
const PODS_PART = 0.55;
const RATES = { least: 5, most: 30 } as const; // requests per second and pod
const PROBE_RATE = 6;
const PROBE_SECONDS = 20;

/** Pods of a namespace by group, as the load generator takes them. */
export interface LoadedPods {
  readonly namespace: string;
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** The rate per pod that keeps the machine as busy as it should be, from what a gentle one costs the pods. */
export async function fittingRate({ namespace, groups }: LoadedPods): Promise<number> {
  const pods = Object.values(groups).flat().length;
  const before = await cpuSecondsOfPods(namespace);
  await startLoad(groups, PROBE_RATE, PROBE_SECONDS).ended;
  const spent = (await cpuSecondsOfPods(namespace)) - before;
  const perRequest = spent / (PROBE_RATE * PROBE_SECONDS * pods);
  const fitting = (PODS_PART * availableParallelism()) / pods / perRequest;
  const rate = Math.max(RATES.least, Math.min(RATES.most, Math.round(fitting)));
  console.log(
    `a request costs ${(perRequest * 1000).toFixed(1)} ms of CPU: ${rate} a second for each of ${pods} pods`,
  );
  return rate;
}
