/**
 * StatefulSets, Argo Rollouts and Flagger's Canaries, as far as gates name them. A cluster without their kinds, and an install that does
 * not let the controller read them, are no failure of the controller: it says which it is, and looks again every half minute.
 */
import type { KubeConfig, KubernetesObject, V1ObjectMeta } from '@kubernetes/client-node';
import { isOptionalTargetKind, type OptionalTargetKind, TARGET_KINDS } from '../crds/target-kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import { type Informer, startInformer } from '../kube/informer.ts';
import { isKubeError } from '../kube/kube-error.ts';
import { ACTING_MANAGER, PAUSE_ANNOTATION } from './acting/pause-mark.ts';
import type { KnownTargets, TargetObject } from './cluster-view.ts';
import { trimMetadata } from './trimmed-objects.ts';

export interface OptionalTargets {
  /** From now on the kind is read. Others than the optional ones are none of its business. */
  want(kind: string | undefined): void;
  of(kind: OptionalTargetKind, namespace: string): KnownTargets;
  /** True once all that was wanted so far has been answered, be it by a no; it stays so. */
  settled(): boolean;
  stop(): Promise<void>;
}

export interface OptionalTargetsOptions {
  readonly kubeConfig: KubeConfig;
  readonly client: KubeClient;
  /** An object without a name: what can be known of its kind has changed. */
  readonly onObject: (object: KubernetesObject) => void;
  /** Once for each way to fail, not for every attempt. */
  readonly onError: (resource: string, error: unknown, retryInMs: number) => void;
}

interface Reading {
  readonly informer: Informer<TargetObject>;
  state: KnownTargets['state'];
  /** Something was answered, be it a no. */
  isAnswered: boolean;
}

export function optionalTargets(options: OptionalTargetsOptions): OptionalTargets {
  const started = new Map<OptionalTargetKind, Reading>();
  let wasSettled = false;
  return {
    want(kind) {
      if (isOptionalTargetKind(kind) && !started.has(kind)) started.set(kind, reading(kind, options));
    },
    of(kind, namespace) {
      const { state = 'Unread', informer } = started.get(kind) ?? {};
      return { state, objects: state === 'Read' ? (informer?.list(namespace) ?? []) : [] };
    },
    settled() {
      wasSettled ||= [...started.values()].every(({ isAnswered }) => isAnswered);
      return wasSettled;
    },
    async stop() {
      await Promise.all([...started.values()].map(({ informer }) => informer.stop()));
    },
  };
}

function reading(kind: OptionalTargetKind, options: OptionalTargetsOptions): Reading {
  const resource = { ...TARGET_KINDS[kind], kind };
  const { kubeConfig, client, onObject } = options;
  const becomes = (state: KnownTargets['state']): boolean => {
    known.isAnswered = true;
    if (known.state === state) return false;
    known.state = state;
    onObject(resource);
    return true;
  };
  const informer = startInformer<TargetObject>(kubeConfig, client, resource, {
    trim: trimTarget,
    onChange: onObject,
    onListed: () => void becomes('Read'),
    onError(error, retryInMs) {
      if (becomes(stateAfter(error, known.state))) options.onError(resource.plural, error, retryInMs);
    },
  });
  const known: Reading = { informer, state: 'Unread', isAnswered: false };
  return known;
}

/** What fails for a moment is read all the same: the cache is as old as that of any other kind then. */
function stateAfter(error: unknown, before: KnownTargets['state']): KnownTargets['state'] {
  if (isKubeError(error, 'KUBE_NOT_FOUND')) return 'NotServed';
  if (isKubeError(error, 'KUBE_FORBIDDEN')) return 'NotPermitted';
  return before;
}

const KEPT_STATUS = ['currentRevision', 'updateRevision', 'stableRS', 'currentPodHash', 'phase', 'abort'];
const KEPT_SPEC = ['targetRef', 'paused'];

/** Identity, Flagger's targetRef, what says that a rollout is stopped and whether by us, and of the status which revisions there are. */
function trimTarget({ apiVersion = '', kind = '', metadata, spec, status }: TargetObject): TargetObject {
  const kept = (fields: TargetObject['spec'], names: readonly string[]) =>
    Object.fromEntries(Object.entries(fields ?? {}).filter(([name]) => names.includes(name)));
  const mark = metadata?.annotations?.[PAUSE_ANNOTATION];
  const ours = metadata?.managedFields?.filter(({ manager }) => manager === ACTING_MANAGER) ?? [];
  return {
    ...{ apiVersion, kind },
    metadata: {
      ...trimMetadata(metadata as V1ObjectMeta | undefined),
      ...(mark === undefined ? {} : { annotations: { [PAUSE_ANNOTATION]: mark } }),
      ...(ours.length === 0 ? {} : { managedFields: ours }),
    },
    ...{ spec: kept(spec, KEPT_SPEC), status: kept(status, KEPT_STATUS) },
  };
}
