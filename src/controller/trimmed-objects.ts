/**
 * What the caches keep of an object. managedFields alone are half of a Deployment, and of a pod most is never read
 * here; without this the controller's memory would grow with the cluster several times as fast.
 */
import type {
  KubernetesObject,
  V1Container,
  V1ContainerStatus,
  V1EnvVar,
  V1Namespace,
  V1ObjectMeta,
  V1Pod,
} from '@kubernetes/client-node';
import { BUILD_ANNOTATIONS, MAX_SOURCE } from '../crds/built-from.ts';
import { ACTING_MANAGER } from './acting/pause-mark.ts';
import {
  FLAG_LINE,
  FLAG_VARIABLES,
  INJECT_ANNOTATION,
  INJECT_MANAGER,
  valueHasTheFlags,
} from './profiling-policy/flag-variables.ts';
import { sharedValues } from './shared-values.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Of all pods. */
const { share } = sharedValues();

const OURS: readonly (string | undefined)[] = [INJECT_MANAGER, ACTING_MANAGER];

/** Drops managedFields, except the entries that say which fields are ours, and kubectl's copy of the manifest. */
export function trimObject<T extends KubernetesObject>(object: T): T {
  const metadata = object.metadata;
  if (metadata === undefined) {
    return object;
  }
  const ours = metadata.managedFields?.filter(({ manager }) => OURS.includes(manager)) ?? [];
  if (ours.length > 0) {
    metadata.managedFields = ours;
  } else {
    delete metadata.managedFields;
  }
  delete metadata.annotations?.[LAST_APPLIED];
  return object;
}

/** A namespace's name and labels. */
export function trimNamespace({ apiVersion = 'v1', kind = 'Namespace', metadata }: V1Namespace): V1Namespace {
  return { apiVersion, kind, metadata: trimMetadata(metadata) };
}

/**
 * A pod's identity, labels, owner, the annotations that are read, node, containers, readiness and container ids. What many pods
 * have alike is shared among them.
 */
export function trimPod(pod: V1Pod): V1Pod {
  const { apiVersion = 'v1', kind = 'Pod', metadata, spec, status } = pod;
  const trimmed: V1Pod = {
    apiVersion,
    kind,
    metadata: { ...trimMetadata(metadata), ...keptAnnotations(metadata) },
  };
  trimmed.spec = {
    ...(spec?.nodeName === undefined ? {} : { nodeName: share(spec.nodeName) }),
    containers: share((spec?.containers ?? []).map(trimContainer)),
  };
  trimmed.status = {
    ...(status?.phase === undefined ? {} : { phase: status.phase }),
    ...(status?.startTime === undefined ? {} : { startTime: status.startTime }),
    ...(status?.podIP === undefined ? {} : { podIP: status.podIP }),
    conditions: (status?.conditions ?? []).filter((condition) => condition.type === 'Ready'),
    containerStatuses: (status?.containerStatuses ?? []).map(trimContainerStatus),
  };
  return trimmed;
}

const KEPT_ANNOTATIONS = [INJECT_ANNOTATION, ...BUILD_ANNOTATIONS];
const LONGEST_ANNOTATION = MAX_SOURCE; // what is longer means nothing here, and a pod may have 256 KB of them

function keptAnnotations(metadata: V1ObjectMeta | undefined): Pick<V1ObjectMeta, 'annotations'> {
  const kept = Object.entries(metadata?.annotations ?? {}).filter(
    ([key, value]) => KEPT_ANNOTATIONS.includes(key) && value.length <= LONGEST_ANNOTATION,
  );
  return kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) };
}

/** Its name and image, which of the variables that flags travel in it sets, and whether it takes others from somewhere. */
function trimContainer({ name, image, env, envFrom }: V1Container): V1Container {
  const kept = (env ?? []).filter((item) => FLAG_VARIABLES.some((variable) => variable === item.name));
  return {
    name,
    ...(image === undefined ? {} : { image }),
    ...(kept.length === 0 ? {} : { env: kept.map(trimVariable) }),
    ...((envFrom?.length ?? 0) === 0 ? {} : { envFrom: [{}] }),
  };
}

/** A value only where it has the flags; our own once for all pods. */
function trimVariable(item: V1EnvVar): V1EnvVar {
  const { name, value } = item;
  if (value === FLAG_LINE) return { name, value: FLAG_LINE };
  return { name, ...(valueHasTheFlags(item) && value !== undefined ? { value } : {}) };
}

export function trimMetadata(metadata: V1ObjectMeta | undefined): V1ObjectMeta {
  const { name, namespace, uid, resourceVersion, labels, creationTimestamp, deletionTimestamp } =
    metadata ?? {};
  const ownerReferences = metadata?.ownerReferences?.filter((owner) => owner.controller === true);
  const kept = {
    name,
    namespace: share(namespace),
    uid,
    resourceVersion,
    labels: share(labels),
    creationTimestamp,
    deletionTimestamp,
    ownerReferences: share(ownerReferences),
  };
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
}

function trimContainerStatus(status: V1ContainerStatus): V1ContainerStatus {
  const { name, containerID, image, imageID, ready, restartCount, started, state } = status;
  return {
    name: share(name),
    image: share(image),
    imageID: share(imageID),
    ready,
    restartCount,
    ...(containerID === undefined ? {} : { containerID }),
    ...(started === undefined ? {} : { started }),
    ...(state === undefined ? {} : { state }),
  };
}
