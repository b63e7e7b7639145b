/** FlagsInjected of mode OnPodCreation: what becomes of the flags of pods that others create. Pure. */

import { MAX_INJECTIONS } from '../../crds/profiling-policy.ts';
import type { WorkloadStatus } from '../../crds/workload-status.ts';
import type { InstalledAdmission } from '../pod-creation/installed-admission.ts';
import type { FlagsFinding } from './decide.ts';
import type { ContainerCreation, WorkloadCreation } from './gather-creation.ts';
import type { CreationOutcome } from './plan-creation.ts';

const MAX_NAMED = 5; // as many as a sentence can hold
/** Somebody takes the flags out of pods: one may have been made while we, or the API server, were behind. */
const TIMES = 2;

export interface CreationSeen {
  /** Those whose pods a policy is about. */
  readonly workloads: readonly WorkloadCreation[];
  /** Who gives their pods the flags. */
  readonly admission: InstalledAdmission;
}

interface Named extends ContainerCreation {
  readonly workload: string;
}

/**
 * The first that holds                                        → FlagsInjected
 * no pod and no Deployment matches                            → False   NoWorkloadMatches
 * nothing of the install is at the API server                 → False   AdmissionMissing, with what to apply
 * pods ended again and again with the flags                   → False   PodsFail
 * pods come without them, twice                               → False   Conflicted
 * a container's variables are the user's or the image's       → False   EnvOwnedByUser, with the line to paste
 * a container uses envFrom                                    → False   EnvFromMayHideVariable, with the line to paste
 * a named container is not there                              → False   ContainerNotFound
 * pods of a workload are not made again                       → False   NotMadeAgain, with the annotation
 * more containers than the status holds                       → False   TooManyContainers
 * a workload of whose JVM nothing is known, and nothing given → Unknown WaitingForAgents
 * nothing is given, and all are asked to be left alone        → False   OptedOut
 * nothing is given, none runs a JVM                           → False   NoJvm
 * some pods are without yet                                   → True    AtNextCreation
 * otherwise                                                   → True    Injected
 */
export function flagsAtCreation({ workloads, admission }: CreationSeen): FlagsFinding {
  const all = workloads.flatMap(({ namespace, kind, name, containers }) =>
    containers.map((plan): Named => ({ ...plan, workload: `${kind} ${namespace}/${name}` })),
  );
  if (workloads.length === 0) {
    return no(
      'NoWorkloadMatches',
      'no pod and no Deployment’s template carries the labels of spec.podSelector',
    );
  }
  if (admission.by === 'Nobody') {
    const message = `nothing gives pods their flags at this API server: apply ${admission.component}`;
    return no('AdmissionMissing', message);
  }
  return (
    told(
      all,
      'PodsFail',
      ({ container }) =>
        `${container} ended again and again with the flags, and none with them is ready: pods that are created from now on get none, until spec changes`,
    ) ??
    takenOut(all) ??
    told(all, 'EnvOwnedByUser', ({ container, advice }) => `container ${container}: ${advice ?? ''}`) ??
    told(
      all,
      'EnvFromMayHideVariable',
      ({ container, advice }) => `container ${container}: ${advice ?? ''}`,
    ) ??
    told(all, 'ContainerNotFound', ({ container }) => `there is no container ${container}`) ??
    told(
      all,
      'NotMadeAgain',
      () =>
        'its pods are not made again: annotate its template with flamegate.dev/inject: "true" to have the flags in the first',
    ) ??
    tooMany(workloads) ??
    waiting(workloads) ??
    nothing(all) ??
    given(all)
  );
}

const no = (reason: FlagsFinding['reason'], message: string): FlagsFinding => ({
  status: 'False',
  reason,
  message,
});

function sentence(some: readonly Named[], say: (each: Named) => string): string {
  const named = some.slice(0, MAX_NAMED).map((each) => `${each.workload}: ${say(each)}`);
  const rest = some.length > named.length ? [`and ${some.length - named.length} more`] : [];
  return [...named, ...rest].join('; ').slice(0, 2048);
}

function told(
  all: readonly Named[],
  outcome: Extract<CreationOutcome, FlagsFinding['reason']>,
  say: (each: Named) => string,
): FlagsFinding | undefined {
  const some = all.filter((each) => each.outcome === outcome);
  return some.length === 0 ? undefined : no(outcome, sentence(some, say));
}

function takenOut(all: readonly Named[]): FlagsFinding | undefined {
  const some = all.filter((each) => each.takenOut >= TIMES);
  const say = ({ takenOut, container }: Named): string =>
    `${takenOut} pods were created without the flags in ${container}`;
  return some.length === 0
    ? undefined
    : no(
        'Conflicted',
        `${sentence(some, say)}. Does another webhook take the variable out, or does the API server not reach ours?`,
      );
}

function tooMany(workloads: readonly WorkloadCreation[]): FlagsFinding | undefined {
  const entries = workloads.reduce((sum, { injections }) => sum + injections.length, 0);
  const message = `${entries} containers match, and ${MAX_INJECTIONS} can be told to the API server: let several policies share them`;
  return entries > MAX_INJECTIONS ? no('TooManyContainers', message) : undefined;
}

const isGiven = ({ outcome }: ContainerCreation): boolean =>
  outcome === 'Injected' || outcome === 'SetByUser';

function waiting(workloads: readonly WorkloadCreation[]): FlagsFinding | undefined {
  const some = workloads.filter(
    ({ containers }) =>
      !containers.some(isGiven) && containers.some(({ outcome }) => outcome === 'WaitingForAgents'),
  );
  if (some.length === 0) return undefined;
  const names = some.slice(0, MAX_NAMED).map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
  const message = `waiting until an agent has seen in a pod of ${names.join(', ')} whether it runs a JVM, and whether the image sets JAVA_TOOL_OPTIONS itself, which must not be replaced; pods that are created after that get the flags`;
  return { status: 'Unknown', reason: 'WaitingForAgents', message };
}

function nothing(all: readonly Named[]): FlagsFinding | undefined {
  if (all.some(isGiven)) return undefined;
  const names = [...new Set(all.map(({ workload }) => workload))].slice(0, MAX_NAMED).join(', ');
  return all.some(({ outcome }) => outcome === 'OptedOut')
    ? no('OptedOut', `the pods of ${names} are annotated with flamegate.dev/inject: "false"`)
    : no('NoJvm', `no container of ${names} runs a JVM`);
}

function given(all: readonly Named[]): FlagsFinding {
  const some = all.filter(({ outcome }) => outcome === 'Injected');
  const pods = some.reduce((sum, each) => sum + each.pods, 0);
  const withFlags = some.reduce((sum, each) => sum + each.withFlags, 0);
  const message = `${withFlags} of ${pods} containers have the flags`;
  return withFlags < pods
    ? {
        status: 'True',
        reason: 'AtNextCreation',
        message:
          `${message}; the others get them when their pods are created anew, which nothing here causes: ${sentence(
            some.filter((each) => each.withFlags < each.pods),
            ({ container, pods: of, withFlags: have }) => `${container} in ${have} of ${of} pods`,
          )}`.slice(0, 2048),
      }
    : { status: 'True', reason: 'Injected', message: `${message}, and so will those that are created` };
}

type CreationStatus = NonNullable<WorkloadStatus['creation']>;

/** Of one row in status.workloads. */
export function creationStatusOf(
  workloads: readonly WorkloadCreation[],
  row: {
    readonly namespace?: string;
    readonly kind: string;
    readonly name: string;
    readonly container: string;
  },
): CreationStatus | undefined {
  const found = workloads
    .find(
      ({ namespace, kind, name }) =>
        kind === row.kind && name === row.name && (row.namespace ?? namespace) === namespace,
    )
    ?.containers.find(({ container }) => container === row.container);
  if (found === undefined) return undefined;
  const { outcome, withFlags, pods, takenOut: out, advice } = found;
  const isAhead = outcome === 'Injected' && withFlags < pods;
  const reason = outcome === 'Injected' && out >= TIMES ? 'Conflicted' : isAhead ? 'AtNextCreation' : outcome;
  return { reason, withFlags, ...(advice === undefined ? {} : { message: advice.slice(0, 1024) }) };
}
