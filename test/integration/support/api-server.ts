/** The real API server for the integration tests: a client, a namespace of one's own, and what a user would do to it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { KubeConfig, type KubernetesObject, type V1Deployment } from '@kubernetes/client-node';
import { emitCrd } from '../../../src/crds/emit.ts';
import { KINDS } from '../../../src/crds/kinds.ts';
import { kubeClient } from '../../../src/kube/client.ts';

const path = process.env['FLAMEGATE_TEST_KUBECONFIG'];
assert.ok(path, 'FLAMEGATE_TEST_KUBECONFIG names the kubeconfig of a cluster for tests');

export const kubeConfig = new KubeConfig();
kubeConfig.loadFromFile(path);
export const client = kubeClient(kubeConfig);

const NAMESPACES = { apiVersion: 'v1', plural: 'namespaces' };

export async function makeNamespace(name: string): Promise<void> {
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

export const dropNamespace = (name: string): Promise<boolean> => client.delete({ ...NAMESPACES, name });

export const namespaceIsGone = async (name: string): Promise<true | undefined> =>
  (await client.get({ ...NAMESPACES, name })) === undefined ? true : undefined;

/** The CustomResourceDefinitions as they are generated, by server-side apply. */
export async function installKinds(): Promise<void> {
  for (const kind of KINDS) {
    const crd = emitCrd(kind) as KubernetesObject;
    const ref = {
      apiVersion: 'apiextensions.k8s.io/v1',
      plural: 'customresourcedefinitions',
      name: crd.metadata?.name ?? '',
    };
    await client.apply(ref, crd, { fieldManager: 'flamegate-test', force: true });
  }
}

/** kubectl as the user runs it, with the object on its standard input. */
export function kubectl(args: readonly string[], object?: unknown): string {
  const program = new URL('../../cluster/kubectl.sh', import.meta.url).pathname;
  return execFileSync(program, [...args], {
    encoding: 'utf8',
    ...(object === undefined ? {} : { input: JSON.stringify(object) }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** A Deployment whose pods nobody schedules, one at a time: what is tested here is who owns which field. */
export function aDeployment(
  namespace: string,
  name: string,
  env: readonly { readonly name: string; readonly value: string }[] = [],
  image = 'localhost/sets-neither:1',
): V1Deployment {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { schedulerName: 'nobody', containers: [{ name: 'main', image, env: [...env] }] },
      },
    },
  };
}

export const deploymentRef = (namespace: string, name: string) =>
  ({ apiVersion: 'apps/v1', plural: 'deployments', namespace, name }) as const;
