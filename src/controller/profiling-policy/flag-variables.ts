/** The JVM flags, the variables they may travel in, and which of them in a Deployment are ours. Pure. */
import type { KubernetesObject, V1Container, V1Deployment, V1EnvVar } from '@kubernetes/client-node';
import { FLAG_VARIABLES, type FlagVariable } from '../../crds/profiling-policy.ts';

/** The field manager under which JVM flags enter a pod template. */
export const INJECT_MANAGER = 'flamegate-inject';

/**
 * On pods, by their templates. "false": no flags at their creation. "true": where nothing is known of a container's image yet, it is taken
 * to set neither variable.
 */
export const INJECT_ANNOTATION = 'flamegate.dev/inject';

export const FLAGS = [
  '-XX:+PreserveFramePointer',
  '-XX:+UnlockDiagnosticVMOptions',
  '-XX:+DebugNonSafepoints',
] as const;

/**
 * IgnoreUnrecognizedVMOptions goes first: it makes a flag that a JVM does not know harmless. DebugNonSafepoints without
 * UnlockDiagnosticVMOptions would keep a JVM from starting.
 */
export const FLAG_LINE = ['-XX:+IgnoreUnrecognizedVMOptions', ...FLAGS].join(' ');

/**
 * JAVA_TOOL_OPTIONS is read by every JVM; JDK_JAVA_OPTIONS by the `java` launcher of JDK 9 and later, and both are honoured together.
 * Never _JAVA_OPTIONS: it overrides the user's own command line.
 */
export { FLAG_VARIABLES, type FlagVariable };

/** Proxies that meshes put beside a service; none of them runs a JVM. */
export const MESH_PROXIES: ReadonlySet<string> = new Set([
  'istio-proxy',
  'linkerd-proxy',
  'envoy',
  'envoy-sidecar',
  'consul-dataplane',
  'kuma-sidecar',
  'cilium-envoy',
]);

export const isMeshProxy = (container: string): boolean => MESH_PROXIES.has(container);

export interface FlagItem {
  readonly container: string;
  readonly variable: FlagVariable;
}

export const sameItem = (a: FlagItem, b: FlagItem): boolean =>
  a.container === b.container && a.variable === b.variable;

export const containersOf = (deployment: V1Deployment): readonly V1Container[] =>
  deployment.spec?.template.spec?.containers ?? [];

export function envOf(container: V1Container | undefined, variable: string): V1EnvVar | undefined {
  return container?.env?.find((env) => env.name === variable);
}

/** True when the value holds the flags already, whoever wrote it. */
export const valueHasTheFlags = (env: V1EnvVar | undefined): boolean =>
  FLAGS.every((flag) => env?.value?.split(/\s+/).includes(flag) === true);

/** The items our field manager owns, by managedFields; the live value may be somebody else's by now. */
export function ownedItems(deployment: V1Deployment): readonly FlagItem[] {
  const entries =
    deployment.metadata?.managedFields?.filter((entry) => entry.manager === INJECT_MANAGER) ?? [];
  return entries.flatMap(({ fieldsV1 }) => {
    const containers = at(fieldsV1, 'f:spec', 'f:template', 'f:spec', 'f:containers');
    return [...keyed(containers)].flatMap(([container, fields]) =>
      [...keyed(at(fields, 'f:env'))]
        .map(([variable]) => FLAG_VARIABLES.find((known) => known === variable))
        .filter((variable) => variable !== undefined)
        .map((variable) => ({ container, variable })),
    );
  });
}

/** True when there is an entry of ours, even one that owns no item any more. */
export const hasOurEntry = (deployment: KubernetesObject): boolean =>
  deployment.metadata?.managedFields?.some((entry) => entry.manager === INJECT_MANAGER) === true;

/** The members `k:{"name":"…"}` of a list map in fieldsV1. */
function* keyed(fields: unknown): Generator<readonly [string, unknown]> {
  for (const [key, value] of Object.entries(asRecord(fields))) {
    const name = key.startsWith('k:') ? nameOfKey(key.slice(2)) : undefined;
    if (name !== undefined) {
      yield [name, value];
    }
  }
}

function nameOfKey(json: string): string | undefined {
  try {
    const name = asRecord(JSON.parse(json))['name'];
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined; // not a key by name, so not one of ours
  }
}

function at(fields: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => asRecord(value)[key], fields);
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
