/** One node that no kubelet has: every pod is bound to it at once, is said to run and to be ready, and is gone as soon as it is deleted. */
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { type KubeClient, pathOf } from '../../src/kube/client.ts';
import { sayRunning } from './said-to-run.ts';

export interface PlayedKubelet {
  /** As it last saw them. */
  pods(): readonly V1Pod[];
  stop(): Promise<void>;
}

const LOOK_MS = 500;

export async function playKubelet(client: KubeClient, node: string): Promise<PlayedKubelet> {
  const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: node } };
  await client.create({ apiVersion: 'v1', plural: 'nodes' }, object);
  let pods: readonly V1Pod[] = [];
  const look = async (): Promise<void> => {
    pods = (await client.request<{ items: V1Pod[] }>('GET', '/api/v1/pods')).items;
    for (const pod of pods) await attend(client, node, pod).catch(() => undefined); // it is gone by now
  };
  const end = new AbortController();
  const running = (async () => {
    while (!end.signal.aborted) {
      await look().catch(() => undefined); // a slow answer
      await delay(LOOK_MS);
    }
  })();
  return {
    pods: () => pods,
    async stop() {
      end.abort();
      await running;
    },
  };
}

async function attend(client: KubeClient, node: string, pod: V1Pod): Promise<void> {
  const { name = '', namespace = '', deletionTimestamp } = pod.metadata ?? {};
  const path = pathOf({ apiVersion: 'v1', plural: 'pods', namespace, name });
  if (deletionTimestamp !== undefined) {
    await client.request('DELETE', path, { gracePeriodSeconds: 0 });
    return;
  }
  if (pod.spec?.nodeName === undefined) {
    const target = { apiVersion: 'v1', kind: 'Node', name: node };
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target };
    await client.request('POST', `${path}/binding`, binding);
  }
  if (pod.status?.phase !== 'Running') await sayRunning(client, pod);
}
