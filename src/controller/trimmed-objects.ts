/**
 * What the caches keep of an object. managedFields alone are half of a Deployment, and of a pod most is never read
 * here; without this the controller's memory would grow with the cluster several times as fast.
 */
import type {
  KubernetesObject,
  V1ContainerStatus,
  V1Namespace,
  V1ObjectMeta,
  V1Pod,
} from '@kubernetes/client-node';
import { ACTING_MANAGER } from './acting/pause-mark.ts';

/** The field manager under which JVM flags enter a pod template. */
export const INJECT_MANAGER = 'flamegate-inject';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

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

/** A pod's identity, labels, owner, node, container names and images, readiness and container ids. */
export function trimPod(pod: V1Pod): V1Pod {
  const { apiVersion = 'v1', kind = 'Pod', metadata, spec, status } = pod;
  const trimmed: V1Pod = { apiVersion, kind, metadata: trimMetadata(metadata) };
  trimmed.spec = {
    ...(spec?.nodeName === undefined ? {} : { nodeName: spec.nodeName }),
    containers: (spec?.containers ?? []).map(({ name, image }) => ({
      name,
      ...(image === undefined ? {} : { image }),
    })),
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

export function trimMetadata(metadata: V1ObjectMeta | undefined): V1ObjectMeta {
  const { name, namespace, uid, resourceVersion, labels, creationTimestamp, deletionTimestamp } =
    metadata ?? {};
  const ownerReferences = metadata?.ownerReferences?.filter((owner) => owner.controller === true);
  const kept = {
    name,
    namespace,
    uid,
    resourceVersion,
    labels,
    creationTimestamp,
    deletionTimestamp,
    ownerReferences,
  };
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
}

function trimContainerStatus(status: V1ContainerStatus): V1ContainerStatus {
  const { name, containerID, image, imageID, ready, restartCount, started, state } = status;
  return {
    name,
    image,
    imageID,
    ready,
    restartCount,
    ...(containerID === undefined ? {} : { containerID }),
    ...(started === undefined ? {} : { started }),
    ...(state === undefined ? {} : { state }),
  };
}
