/** Arms of the sample service that can be compared: equal ones, and such in which a single thing is worse. */
import { podAddresses, startLoad } from '../../../scripts/demo/load.ts';
import { profilingPolicy, regressionGate } from './install.ts';
import { applyObjects, namespace, ordersDeployment, rolledOut } from './orders.ts';

export const STABLE = 'stable';
export const CLEAN = ['clean-a', 'clean-b', 'clean-c'] as const;
export const REGRESSED = 'surcharge';

const WARM_UP_RATES = [1, 3];
const WARM_UP_SECONDS = 30;

/** Addresses of the pods by arm, as the load generator takes them. */
export type ArmAddresses = Readonly<Record<string, readonly string[]>>;

/** What an arm's pods have in their environment beside what all have. */
export type Arms = Readonly<Record<string, Readonly<Record<string, string>>>>;

const ARMS: Arms = {
  [STABLE]: {},
  ...Object.fromEntries(CLEAN.map((name) => [name, {}])),
  [REGRESSED]: { SURCHARGE_SHARE: '0.05' },
};
/** Of functions alone: a node that starves its pods measures its own queue in their latencies. */
const FUNCTIONS_ONLY = { cpu: { frequencyHz: 199 }, requests: { enabled: false } };

export interface Deployed {
  readonly arms: Arms;
  /** The spec of their ProfilingPolicy, but for the selector. */
  readonly policy: object;
  /** Of each arm. */
  readonly replicas: number;
}
const OF_FUNCTIONS: Deployed = { arms: ARMS, policy: FUNCTIONS_ONLY, replicas: 3 };

/** Arms that are watched and gently warmed up; those of functions, unless others are named. */
export async function deployArms(ns: string, deployed = OF_FUNCTIONS): Promise<ArmAddresses> {
  const { arms: all, policy, replicas } = deployed;
  applyObjects(namespace(ns), profilingPolicy(ns, 'shop', policy));
  const arms = Object.keys(all);
  for (const name of arms) {
    const env = { LARGE_ORDER_LINES: '100', ...all[name] };
    applyObjects(ordersDeployment({ namespace: ns, name, env, replicas }));
    await rolledOut(ns, name); // one arm after the other: fifteen starting JVMs would starve the node
  }
  const groups = Object.fromEntries(
    await Promise.all(arms.map(async (arm) => [arm, await podAddresses(ns, `arm=${arm}`)] as const)),
  );
  for (const rate of WARM_UP_RATES) await startLoad(groups, rate, WARM_UP_SECONDS).ended;
  return groups;
}

/**
 * A gate for each canary, all against the one baseline, with a margin of 3 % for a function: the roots of threads take 40 % of a
 * pod, and of three equal pods an arm theirs differ by one to two points on some days.
 */
export function applyGates(ns: string): void {
  applyObjects(
    ...[...CLEAN, REGRESSED].map((canary) =>
      regressionGate(ns, canary, {
        baseline: { podSelector: { matchLabels: { arm: STABLE } } },
        canary: { podSelector: { matchLabels: { arm: canary } } },
        checks: { cpu: { function: { margin: '3%' } } },
        duration: { warmUp: '2m', min: '2m', deadline: '10m' },
      }),
    ),
  );
}
