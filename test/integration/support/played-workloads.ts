/** Workloads whose pods nobody schedules: the cluster's own controllers make and delete them, a test says that they run. */
import type { V1Pod } from '@kubernetes/client-node';
import { sayRunning } from '../../bare/said-to-run.ts';
import { eventually } from '../../cluster/cluster.ts';
import { client } from './api-server.ts';

const MERGE = 'application/merge-patch+json';

export interface Place {
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
}

export const pathOfPlace = ({ apiVersion, plural, namespace, name }: Place): string =>
  `/apis/${apiVersion}/namespaces/${namespace}/${plural}/${name}`;

export async function patch<T>(place: Place, change: object): Promise<T> {
  return client.request<T>('PATCH', pathOfPlace(place), change, MERGE);
}

export async function patchStatus(place: Place, status: object): Promise<void> {
  await client.request('PATCH', `${pathOfPlace(place)}/status`, { status }, MERGE);
}

export const aTemplate = (labels: Readonly<Record<string, string>>, image: string) => ({
  metadata: { labels },
  spec: {
    schedulerName: 'nobody',
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'app', image }],
  },
});

const podsIn = async (namespace: string): Promise<readonly V1Pod[]> =>
  (await client.request<{ items: V1Pod[] }>('GET', `/api/v1/namespaces/${namespace}/pods`)).items;

/** Until there are so many pods with the labels, each of which is said to run and to be ready. */
export async function untilRunning(
  namespace: string,
  labels: Readonly<Record<string, string>>,
  count: number,
): Promise<readonly V1Pod[]> {
  return eventually(`${count} pods of ${JSON.stringify(labels)}`, 60, async () => {
    const wanted = Object.entries(labels);
    const pods = (await podsIn(namespace)).filter(
      ({ metadata }) =>
        metadata?.deletionTimestamp === undefined &&
        wanted.every(([name, value]) => metadata?.labels?.[name] === value),
    );
    for (const pod of pods) if (pod.status?.phase !== 'Running') await sayRunning(client, pod);
    return pods.length === count && pods.every(({ status }) => status?.phase === 'Running')
      ? pods
      : undefined;
  });
}
