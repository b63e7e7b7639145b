/** FlagsInjected: what became of the JVM flags, over all Deployments of a policy; of mode Live live-flags.ts tells. Pure. */
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import type { FlagsFinding } from './decide.ts';
import type { ContainerOutcome, ContainerPlan } from './plan-injection.ts';
import type { WorkloadFlags } from './settle-flags.ts';

/** What keeps a container from being given its flags, until somebody acts. */
type Blocked = Extract<ContainerOutcome, 'EnvOwnedByUser' | 'EnvFromMayHideVariable' | 'ContainerNotFound'>;

/**
 * The first that holds                                  → FlagsInjected
 * mode Never                                            → False   NotRequested
 * of all Deployments that match another policy counts   → False   OtherPolicyCounts
 * no Deployment's pod template matches                  → False   NoDeploymentMatches
 * somebody keeps taking the flags out                   → False   Conflicted
 * the API server refused the change                     → False   Failed
 * a container's variables are the user's or the image's → False   EnvOwnedByUser, with the line to paste
 * a container uses envFrom                              → False   EnvFromMayHideVariable, with the line to paste
 * a named container is not there                        → False   ContainerNotFound
 * nothing injected, a container's JVM not yet seen      → Unknown WaitingForAgents
 * nothing injected, none runs a JVM                     → False   NoJvm
 * pods with an older template remain                    → True    RollingOut
 * otherwise                                             → True    Injected
 */
export function flagsInjected(
  policy: AnyProfilingPolicy,
  workloads: readonly WorkloadFlags[],
  overruledDeployments = 0,
): FlagsFinding {
  if (policy.spec.jvm.flags.mode === 'Never') {
    return no('NotRequested', 'spec.jvm.flags.mode is Never');
  }
  if (workloads.length === 0 && overruledDeployments > 0) {
    const message = `of ${overruledDeployments} Deployments whose pods match another policy counts`;
    return no('OtherPolicyCounts', message);
  }
  if (workloads.length === 0) {
    return no('NoDeploymentMatches', 'no Deployment’s pod template carries the labels of spec.podSelector');
  }
  return (
    conflicted(workloads) ??
    refused(workloads) ??
    blocked(workloads, 'EnvOwnedByUser') ??
    blocked(workloads, 'EnvFromMayHideVariable') ??
    blocked(workloads, 'ContainerNotFound') ??
    waiting(workloads) ??
    withoutJvm(workloads) ??
    injected(workloads)
  );
}

const no = (reason: FlagsFinding['reason'], message: string): FlagsFinding => ({
  status: 'False',
  reason,
  message,
});

function conflicted(workloads: readonly WorkloadFlags[]): FlagsFinding | undefined {
  const names = workloads.filter((workload) => workload.conflicted).map(({ deployment }) => deployment);
  if (names.length === 0) {
    return undefined;
  }
  const message = `the flags were taken out of ${names.join(', ')} twice within 10 minutes; not tried again until spec changes. Something replaces the whole object: kubectl replace, or Argo CD’s sync option Replace=true`;
  return no('Conflicted', message);
}

function refused(workloads: readonly WorkloadFlags[]): FlagsFinding | undefined {
  const first = workloads.find((workload) => workload.refused !== undefined);
  return first && no('Failed', `Deployment ${first.deployment} could not be changed: ${first.refused ?? ''}`);
}

function blocked(workloads: readonly WorkloadFlags[], outcome: Blocked): FlagsFinding | undefined {
  const sentences = pick(workloads, outcome).map(([deployment, { container, advice }]) =>
    advice === undefined
      ? `Deployment ${deployment} has no container ${container}`
      : `container ${container} of Deployment ${deployment}: ${advice}`,
  );
  return sentences.length === 0 ? undefined : no(outcome, sentences.join('; '));
}

function waiting(workloads: readonly WorkloadFlags[]): FlagsFinding | undefined {
  const names = workloads
    .filter(
      ({ containers }) =>
        !containers.some(isDone) && containers.some(({ outcome }) => outcome === 'WaitingForAgents'),
    )
    .map(({ deployment }) => deployment);
  if (names.length === 0) {
    return undefined;
  }
  const message = `waiting until an agent has seen a pod of ${names.join(', ')} with the template’s image: whether it runs a JVM, and whether the image sets JAVA_TOOL_OPTIONS itself, which must not be replaced`;
  return { status: 'Unknown', reason: 'WaitingForAgents', message };
}

function withoutJvm(workloads: readonly WorkloadFlags[]): FlagsFinding | undefined {
  const some = workloads.some(({ containers }) => containers.some(isDone));
  const names = workloads.map(({ deployment }) => deployment).join(', ');
  return some ? undefined : no('NoJvm', `no container of ${names} runs a JVM`);
}

function injected(workloads: readonly WorkloadFlags[]): FlagsFinding {
  const done = workloads.flatMap(({ deployment, containers }) =>
    containers
      .filter(isDone)
      .map(({ container, variable }) => `${deployment}/${container} (${variable ?? ''})`),
  );
  const rolling = workloads.filter((workload) => workload.rolling).map(({ deployment }) => deployment);
  if (rolling.length > 0) {
    const message = `set in ${done.join(', ')}; ${rolling.join(', ')} still rolls out`;
    return { status: 'True', reason: 'RollingOut', message };
  }
  return { status: 'True', reason: 'Injected', message: `set in ${done.join(', ')}` };
}

const isDone = ({ outcome }: ContainerPlan): boolean => outcome === 'Injected' || outcome === 'SetByUser';

const pick = (
  workloads: readonly WorkloadFlags[],
  outcome: ContainerOutcome,
): readonly (readonly [string, ContainerPlan])[] =>
  workloads.flatMap(({ deployment, containers }) =>
    containers.filter((plan) => plan.outcome === outcome).map((plan) => [deployment, plan] as const),
  );
