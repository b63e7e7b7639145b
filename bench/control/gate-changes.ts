/** How soon a controller has taken in a gate that somebody changed: until its status says that generation. */
import { API_VERSION } from '../../src/crds/schema.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { KubeError } from '../../src/kube/kube-error.ts';
import { namespaceOf } from './size.ts';

const EVERY_MS = 1_000;
const GIVE_UP_MS = 30_000;
const LOOK_EVERY_MS = 50;

interface Gate {
  readonly metadata: { readonly generation: number };
  readonly status?: { readonly observedGeneration?: number };
}

/** Milliseconds of each change, ascending; those that were not taken in within 30 s count as that. One gate a second, in turn. */
export async function changeGates(client: KubeClient, gates: number, seconds: number): Promise<number[]> {
  const taken: Promise<number>[] = [];
  for (let number = 0; number < seconds; number++) {
    taken.push(changeGate(client, namespaceOf((number * 7) % gates), 5 + (number % 40)));
    await new Promise((wake) => setTimeout(wake, EVERY_MS));
  }
  return (await Promise.all(taken)).sort((a, b) => a - b);
}

async function changeGate(
  client: KubeClient,
  namespace: string,
  reportHistoryLimit: number,
): Promise<number> {
  const path = `/apis/${API_VERSION}/namespaces/${namespace}/regressiongates/shop`;
  const startedMs = performance.now();
  const patch = { spec: { reportHistoryLimit } };
  let wanted: number | undefined;
  while (performance.now() - startedMs < GIVE_UP_MS) {
    try {
      wanted ??= (await client.request<Gate>('PATCH', path, patch, 'application/merge-patch+json')).metadata
        .generation;
      const { status } = await client.request<Gate>('GET', path);
      if ((status?.observedGeneration ?? 0) >= wanted) return performance.now() - startedMs;
    } catch (error) {
      // An API server that is asked this much resets a connection now and then: whoever changes a gate asks again.
      if (!(error instanceof KubeError && error.code === 'KUBE_UNREACHABLE')) throw error;
    }
    await new Promise((wake) => setTimeout(wake, LOOK_EVERY_MS));
  }
  return GIVE_UP_MS;
}
