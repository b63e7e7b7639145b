/** A kubelet that runs nothing: what it would do for each pod, a test does. */
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

/** `attend` is asked again and again for every pod of the cluster; where it fails, too. */
export function playKubelet(client: KubeClient, attend: (pod: V1Pod) => Promise<unknown>): PlayedKubelet {
  let pods: readonly V1Pod[] = [];
  const look = async (): Promise<void> => {
    pods = (await client.request<{ items: V1Pod[] }>('GET', '/api/v1/pods')).items;
    for (const pod of pods) await attend(pod).catch(() => undefined); // it is gone by now
  };
  const end = new AbortController();
  const running = (async () => {
    while (!end.signal.aborted) {
      await look().catch(() => undefined); // a slow answer
      await delay(LOOK_MS, undefined, { signal: end.signal }).catch(() => undefined); // the end
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

/** Says that it runs, and removes it as soon as it is deleted. */
export async function runOrRemove(client: KubeClient, pod: V1Pod): Promise<void> {
  const { deletionTimestamp } = pod.metadata ?? {};
  if (deletionTimestamp !== undefined)
    await client.request('DELETE', pathOfPod(pod), { gracePeriodSeconds: 0 });
  else if (pod.status?.phase !== 'Running') await sayRunning(client, pod);
}

export const pathOfPod = ({ metadata: { namespace = '', name = '' } = {} }: V1Pod): string =>
  pathOf({ apiVersion: 'v1', plural: 'pods', namespace, name });
