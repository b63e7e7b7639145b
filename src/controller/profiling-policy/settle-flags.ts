/**
 * Brings the JVM flags of a namespace's Deployments to what the policies that count ask for. Each Deployment is read live before
 * it is touched: the cache may be behind our own last write.
 */
import { type KubernetesObject, PatchStrategy, type V1Deployment } from '@kubernetes/client-node';
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import { type KubeClient, type ObjectRef, pathOf } from '../../kube/client.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import type { InjectionResult } from '../metrics.ts';
import { FLAG_LINE, type FlagItem, hasOurEntry, INJECT_MANAGER, ownedItems } from './flag-variables.ts';
import { type GatherFrom, wantedOf } from './gather.ts';
import type { InjectionBreaker } from './injection-breaker.ts';
import { evidenceOf } from './jvm-evidence.ts';
import {
  type ContainerPlan,
  type InjectionPlan,
  type InjectionStep,
  planInjection,
  type Wanted,
} from './plan-injection.ts';

export interface WorkloadFlags {
  readonly namespace: string;
  readonly deployment: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly containers: readonly ContainerPlan[];
  /** Somebody keeps taking our items out; we stopped. */
  readonly conflicted: boolean;
  /** Why the API server refused our change. */
  readonly refused?: string;
  /** True while not all pods have the newest template. */
  readonly rolling: boolean;
}

export interface FlagSettler extends GatherFrom {
  readonly client: KubeClient;
  readonly breaker: InjectionBreaker;
  readonly count: (result: InjectionResult) => void;
  readonly now: () => number;
}

const MAX_STEPS = 4; // release, own again, apply, and one look to see that nothing is left

/** Throws when a Deployment could not be brought there and trying again may help. */
export async function settleFlags(
  settler: FlagSettler,
  namespace: string,
  policies: readonly AnyProfilingPolicy[],
): Promise<readonly WorkloadFlags[]> {
  const settled: WorkloadFlags[] = [];
  for (const deployment of settler.view.deployments(namespace)) {
    const wanted = wantedOf(policies, deployment);
    if (wanted !== undefined || hasOurEntry(deployment)) {
      settled.push(await settleDeployment(settler, deployment, wanted));
    }
  }
  return settled;
}

interface Work {
  readonly settler: FlagSettler;
  readonly ref: ObjectRef;
  readonly wanted: Wanted | undefined;
}

async function settleDeployment(
  settler: FlagSettler,
  cached: V1Deployment,
  wanted: Wanted | undefined,
): Promise<WorkloadFlags> {
  const { name = '', namespace = '' } = cached.metadata ?? {};
  const ref = { apiVersion: 'apps/v1', plural: 'deployments', namespace, name };
  const plan = planInjection(cached, wanted, evidenceOf(settler, cached));
  if (plan.step.kind === 'none') {
    return flagsOf(cached, plan, {});
  }
  try {
    return await stepByStep({ settler, ref, wanted }, cached);
  } catch (error) {
    if (isKubeError(error, 'KUBE_FORBIDDEN') || isKubeError(error, 'KUBE_INVALID')) {
      settler.count('refused');
      return flagsOf(cached, plan, { refused: error.message });
    }
    throw error;
  }
}

async function stepByStep(work: Work, cached: V1Deployment): Promise<WorkloadFlags> {
  const nothing: InjectionPlan = { step: { kind: 'none' }, containers: [] };
  let live = await work.settler.client.get<V1Deployment>(work.ref);
  for (let steps = 0; live !== undefined && steps < MAX_STEPS; steps++) {
    const plan = planInjection(live, work.wanted, evidenceOf(work.settler, live));
    if (plan.step.kind === 'none') {
      return flagsOf(live, plan, {});
    }
    if (plan.step.kind === 'apply' && !mayWrite(work, live, plan.step.items)) {
      work.settler.count('conflicted');
      return flagsOf(live, plan, { conflicted: true });
    }
    live = await takeStep(work, live, plan.step);
  }
  return flagsOf(live ?? cached, nothing, {});
}

function mayWrite(work: Work, live: V1Deployment, items: readonly FlagItem[]): boolean {
  const { uid = '', generation = 0 } = live.metadata ?? {};
  const request = JSON.stringify([[...(work.wanted?.named ?? [])].sort(), work.wanted?.everyJvm]);
  return work.settler.breaker.mayWrite(
    { uid, generation, items, owned: ownedItems(live), request },
    work.settler.now(),
  );
}

/** Undefined when the Deployment is gone by now. */
async function takeStep(
  { settler, ref }: Work,
  live: V1Deployment,
  step: Exclude<InjectionStep, { kind: 'none' }>,
): Promise<V1Deployment | undefined> {
  const uid = live.metadata?.uid ?? '';
  try {
    switch (step.kind) {
      case 'apply': {
        const applied = await applyItems(settler.client, ref, live, step.items);
        settler.breaker.wrote(uid, applied.metadata?.generation ?? 0, step.items);
        settler.count('injected');
        return applied;
      }
      case 'remove': {
        settler.breaker.forget(uid);
        settler.count('removed');
        return await applyItems(settler.client, ref, live, []);
      }
      case 'release': {
        const released = await releaseOwnership(settler.client, ref, live);
        settler.count('released');
        return step.keep.length === 0 ? released : await applyItems(settler.client, ref, released, step.keep);
      }
    }
  } catch (error) {
    if (isKubeError(error, 'KUBE_NOT_FOUND') || (await replacedByAnother(settler.client, ref, uid))) {
      return undefined;
    }
    throw error;
  }
}

async function replacedByAnother(client: KubeClient, ref: ObjectRef, uid: string): Promise<boolean> {
  const now = await client.get<KubernetesObject>(ref);
  return now?.metadata?.uid !== uid;
}

/**
 * Server-side apply of our items and nothing else, never by force. The uid goes along, so that a Deployment that was
 * deleted meanwhile is not created from this fragment.
 */
function applyItems(
  client: KubeClient,
  ref: ObjectRef,
  live: V1Deployment,
  items: readonly FlagItem[],
): Promise<V1Deployment> {
  const { name, namespace } = ref;
  const byContainer = Map.groupBy(items, (item) => item.container);
  const containers = [...byContainer].map(([container, own]) => ({
    name: container,
    env: own.map(({ variable }) => ({ name: variable, value: FLAG_LINE })),
  }));
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, uid: live.metadata?.uid },
    ...(containers.length === 0 ? {} : { spec: { template: { spec: { containers } } } }),
  };
  return client.apply<V1Deployment>(ref, object, { fieldManager: INJECT_MANAGER });
}

/**
 * Takes our entry out of managedFields and leaves every value. Needed once a user has changed the value of an item
 * that we added: we still own its key then, and applying without it would delete the user's value.
 */
function releaseOwnership(client: KubeClient, ref: ObjectRef, live: V1Deployment): Promise<V1Deployment> {
  const entries = live.metadata?.managedFields ?? [];
  const ours = entries.flatMap((entry, index) => (entry.manager === INJECT_MANAGER ? [index] : []));
  const patch = [
    { op: 'test', path: '/metadata/resourceVersion', value: live.metadata?.resourceVersion },
    ...ours.reverse().map((index) => ({ op: 'remove', path: `/metadata/managedFields/${index}` })),
  ];
  const path = `${pathOf(ref)}?fieldManager=flamegate`;
  return client.request<V1Deployment>('PATCH', path, patch, PatchStrategy.JsonPatch);
}

function flagsOf(
  deployment: V1Deployment,
  plan: InjectionPlan,
  more: { readonly conflicted?: boolean; readonly refused?: string },
): WorkloadFlags {
  const { status, spec, metadata } = deployment;
  const replicas = spec?.replicas ?? 1;
  const behind = (status?.observedGeneration ?? 0) < (metadata?.generation ?? 0);
  return {
    namespace: metadata?.namespace ?? '',
    deployment: metadata?.name ?? '',
    labels: spec?.template.metadata?.labels ?? {},
    containers: plan.containers,
    conflicted: more.conflicted ?? false,
    rolling: behind || (status?.updatedReplicas ?? 0) < replicas || (status?.replicas ?? 0) > replicas,
    ...(more.refused === undefined ? {} : { refused: more.refused }),
  };
}
