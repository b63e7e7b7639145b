/**
 * What to do with one Deployment's JVM flags. Pure.
 *
 * A container                                        → becomes
 * 1 named by a policy, not in the template           → ContainerNotFound
 * 2 not named, and a known mesh proxy                → left out
 * 3 our item is there with our value                 → Injected, kept
 * 4 another's value has the flags already            → SetByUser
 * 5 agents say it runs no JVM                        → NoJvm
 * 6 not named, and no agent has reported it yet      → WaitingForAgents
 * 7 envFrom is used                                  → EnvFromMayHideVariable, with the line to paste
 *   else the first that is not taken, of JAVA_TOOL_OPTIONS and, on JDK ≥ 9, JDK_JAVA_OPTIONS:
 * 8 no agent has seen whether the image sets it      → WaitingForAgents, even when the container is named
 * 9 it is JAVA_TOOL_OPTIONS                          → Injected there
 * 10 it is JDK_JAVA_OPTIONS                          → Injected there
 * 11 both are taken                                  → EnvOwnedByUser, with the line to paste
 * 12 it would be Injected now, and a named one waits → WaitingForAgents with it, for one rollout
 *
 * A variable is taken when the template sets it, or the image does: the API does not show an ENV of the image, and an
 * entry of ours would replace it. What an agent sees in a JVM that has our entry says nothing of the image, so 3 comes
 * first, and jvm-evidence.ts leaves such pods out.
 *
 * The Deployment                                     → is
 * A being deleted, or no policy wants it, nothing ours → left alone
 * B an item we own has another's value               → released: we give up the entry, the value stays
 * C no policy wants it, items are ours               → freed of them
 * D items wanted and owned are the same              → left alone
 * E otherwise                                        → given the wanted items
 */
import type { V1Container, V1Deployment } from '@kubernetes/client-node';
import {
  containersOf,
  envOf,
  FLAG_LINE,
  FLAG_VARIABLES,
  type FlagItem,
  type FlagVariable,
  isMeshProxy,
  ownedItems,
  sameItem,
  valueHasTheFlags,
} from './flag-variables.ts';
import type { JvmEvidence } from './jvm-evidence.ts';

export type ContainerOutcome =
  | 'Injected'
  | 'SetByUser'
  | 'NoJvm'
  | 'WaitingForAgents'
  | 'EnvFromMayHideVariable'
  | 'EnvOwnedByUser'
  | 'ContainerNotFound';

export interface ContainerPlan {
  readonly container: string;
  readonly outcome: ContainerOutcome;
  readonly variable?: FlagVariable;
  /** What to do by hand, when we may not. */
  readonly advice?: string;
}

/** Which containers the policies want: those by name, and whether also every other one that runs a JVM. */
export interface Wanted {
  readonly named: ReadonlySet<string>;
  readonly everyJvm: boolean;
}

export type InjectionStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'apply'; readonly items: readonly FlagItem[] }
  | { readonly kind: 'remove' }
  /** `keep`: items with our value that are owned again right after. */
  | { readonly kind: 'release'; readonly keep: readonly FlagItem[] };

export interface InjectionPlan {
  readonly step: InjectionStep;
  readonly containers: readonly ContainerPlan[];
}

export function planInjection(
  deployment: V1Deployment,
  wanted: Wanted | undefined,
  evidence: (container: string) => JvmEvidence,
): InjectionPlan {
  const owned = ownedItems(deployment);
  const containers = wanted === undefined ? [] : planContainers(deployment, wanted, evidence);
  if (deployment.metadata?.deletionTimestamp !== undefined || (wanted === undefined && owned.length === 0)) {
    return { step: { kind: 'none' }, containers };
  }
  const keep = owned.filter((item) => liveValueIsOurs(deployment, item));
  if (keep.length < owned.length) {
    return { step: { kind: 'release', keep }, containers };
  }
  if (wanted === undefined) {
    return { step: { kind: 'remove' }, containers };
  }
  const items = containers.flatMap(({ container, outcome, variable }) =>
    outcome === 'Injected' && variable !== undefined ? [{ container, variable }] : [],
  );
  return { step: stepTo(items, owned), containers };
}

function stepTo(items: readonly FlagItem[], owned: readonly FlagItem[]): InjectionStep {
  const same =
    items.length === owned.length && items.every((item) => owned.some((own) => sameItem(own, item)));
  if (same) {
    return { kind: 'none' };
  }
  return items.length === 0 ? { kind: 'remove' } : { kind: 'apply', items };
}

function liveValueIsOurs(deployment: V1Deployment, item: FlagItem): boolean {
  const container = containersOf(deployment).find(({ name }) => name === item.container);
  return envOf(container, item.variable)?.value === FLAG_LINE;
}

function planContainers(
  deployment: V1Deployment,
  wanted: Wanted,
  evidence: (container: string) => JvmEvidence,
): readonly ContainerPlan[] {
  const containers = containersOf(deployment);
  const owned = ownedItems(deployment);
  const present = containers
    .filter(({ name }) => wanted.named.has(name) || (wanted.everyJvm && !isMeshProxy(name)))
    .map((container) => {
      const own = owned.find(
        (item) => item.container === container.name && liveValueIsOurs(deployment, item),
      );
      return planContainer(container, own, wanted.named.has(container.name), evidence(container.name));
    });
  const missing = [...wanted.named]
    .filter((name) => !containers.some((container) => container.name === name))
    .map((container): ContainerPlan => ({ container, outcome: 'ContainerNotFound' }));
  return [...inOneRollout(present, wanted, owned), ...missing];
}

/** What is not in the template yet waits for the named ones: the workload shall roll once. */
function inOneRollout(
  plans: readonly ContainerPlan[],
  { named }: Wanted,
  owned: readonly FlagItem[],
): readonly ContainerPlan[] {
  if (!plans.some(({ container, outcome }) => outcome === 'WaitingForAgents' && named.has(container))) {
    return plans;
  }
  return plans.map((plan) =>
    plan.outcome === 'Injected' && !owned.some(({ container }) => container === plan.container)
      ? { container: plan.container, outcome: 'WaitingForAgents' }
      : plan,
  );
}

function planContainer(
  container: V1Container,
  own: FlagItem | undefined,
  named: boolean,
  evidence: JvmEvidence,
): ContainerPlan {
  const name = container.name;
  if (own !== undefined) {
    return { container: name, outcome: 'Injected', variable: own.variable };
  }
  const setBy = FLAG_VARIABLES.find((variable) => valueHasTheFlags(envOf(container, variable)));
  if (setBy !== undefined) {
    return { container: name, outcome: 'SetByUser', variable: setBy };
  }
  if (evidence.jvm === 'NoJvm') {
    return { container: name, outcome: 'NoJvm' };
  }
  if (!named && evidence.jvm === 'Unknown') {
    return { container: name, outcome: 'WaitingForAgents' };
  }
  return planVariable(container, evidence);
}

function planVariable(container: V1Container, evidence: JvmEvidence): ContainerPlan {
  const name = container.name;
  if ((container.envFrom?.length ?? 0) > 0) {
    return { container: name, outcome: 'EnvFromMayHideVariable', advice: adviceOnEnvFrom() };
  }
  const usable = FLAG_VARIABLES.filter(
    (variable) => variable === 'JAVA_TOOL_OPTIONS' || (evidence.jdk ?? 9) >= 9,
  );
  const variable = usable.find(
    (candidate) => envOf(container, candidate) === undefined && evidence.imageSets[candidate] !== true,
  );
  if (variable === undefined) {
    return { container: name, outcome: 'EnvOwnedByUser', advice: adviceOnTaken(container, usable) };
  }
  if (evidence.imageSets[variable] === undefined) {
    return { container: name, outcome: 'WaitingForAgents' };
  }
  return { container: name, outcome: 'Injected', variable };
}

export const adviceOnEnvFrom = (): string =>
  `its envFrom may set JAVA_TOOL_OPTIONS, which an entry of ours would hide; add the flags there, or to env: ${pasteLine()}`;

export function adviceOnTaken(container: V1Container, usable: readonly FlagVariable[]): string {
  const own = usable.find((variable) => envOf(container, variable) !== undefined);
  return own === undefined
    ? `its image sets JAVA_TOOL_OPTIONS, which an entry of ours would replace; add to env, with the image’s value in front: ${pasteLine('<value of the image> ')}`
    : `its own ${own} stays; append to the value: ${FLAG_LINE}`;
}

const pasteLine = (before = ''): string => `{name: JAVA_TOOL_OPTIONS, value: "${before}${FLAG_LINE}"}`;
