/** Pods that no kubelet runs: that they do, and how they ended, is only said. */
import type { V1Pod } from '@kubernetes/client-node';
import type { KubeClient } from '../../src/kube/client.ts';

const statusPath = ({ metadata }: V1Pod): string =>
  `/api/v1/namespaces/${metadata?.namespace}/pods/${metadata?.name}/status`;

const say = (client: KubeClient, pod: V1Pod, status: object): Promise<unknown> =>
  client.request('PATCH', statusPath(pod), { status }, 'application/merge-patch+json');

/** For ten minutes, and is ready. */
export async function sayRunning(client: KubeClient, pod: V1Pod): Promise<void> {
  const [{ name = 'app', image = '' } = {}] = pod.spec?.containers ?? [];
  const startedAt = new Date(Date.now() - 600_000).toISOString();
  const container = {
    ...{
      name,
      image,
      imageID: image,
      ready: true,
      restartCount: 0,
      containerID: `containerd://${pod.metadata?.name}`,
    },
    state: { running: { startedAt } },
  };
  await say(client, pod, {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: startedAt }],
    containerStatuses: [container],
  });
}

export async function sayEnded(client: KubeClient, pod: V1Pod, exitCode: number): Promise<void> {
  const [{ name = 'app', image = '' } = {}] = pod.spec?.containers ?? [];
  const finishedAt = new Date().toISOString();
  const container = {
    ...{ name, image, imageID: image, ready: false, restartCount: 0 },
    state: { terminated: { exitCode, startedAt: finishedAt, finishedAt } },
  };
  await say(client, pod, { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses: [container] });
}
