/** Conflicted: which pods that a policy selects another one profiles, and why that one counts. Pure. */
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import type { PolicyReasons } from '../../crds/condition-types.ts';
import type { Finding } from './decide.ts';
import type { Observed, Overruled } from './gather.ts';
import { isOfCluster } from './precedence.ts';

const MAX_NAMED = 5; // as many as a sentence can hold

type Conflicting = Pick<Observed, 'policy' | 'pods' | 'overruled'>;

export const overruledPods = ({ overruled }: Pick<Observed, 'overruled'>): number =>
  overruled.reduce((sum, { pods }) => sum + pods, 0);

/** Undefined when the policy profiles whatever it selects. */
export function conflictOf({
  policy,
  pods,
  overruled,
}: Conflicting): Finding<PolicyReasons['Conflicted']> | undefined {
  const [first] = overruled;
  if (first === undefined) return undefined;
  const named = overruled.slice(0, MAX_NAMED).map((each) => clauseOf(policy, each));
  const rest = overruled.length - named.length;
  const others =
    rest > 0 ? [`${overruledPods({ overruled: overruled.slice(MAX_NAMED) })} by ${rest} more`] : [];
  return {
    status: 'True',
    reason: isNearer(first.by, policy) ? 'NamespacePolicyCounts' : 'OlderPolicyCounts',
    message: `of ${pods} pods that match, others profile ${overruledPods({ overruled })}: ${[...named, ...others].join('; ')}`,
  };
}

function clauseOf(policy: AnyProfilingPolicy, { by, pods }: Overruled): string {
  const { namespace, name } = by.metadata;
  const winner = isOfCluster(by) ? `ClusterProfilingPolicy ${name}` : `ProfilingPolicy ${namespace}/${name}`;
  return `${pods} by ${winner}, which is ${isNearer(by, policy) ? 'of their namespace' : 'older'}`;
}

const isNearer = (by: AnyProfilingPolicy, policy: AnyProfilingPolicy): boolean =>
  !isOfCluster(by) && isOfCluster(policy);
