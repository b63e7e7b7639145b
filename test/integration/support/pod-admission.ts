/** The two ways into a Pod's creation, put at the API server of the tests as the install's files have them. */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import type { KubernetesObject } from '@kubernetes/client-node';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { parseAllDocuments } from 'yaml';
import {
  startWebhook,
  type Webhook,
  type WebhookOptions,
} from '../../../src/controller/pod-creation/webhook-server.ts';
import { client, kubeConfig, kubectl } from './api-server.ts';

const ROOT = new URL('../../../', import.meta.url).pathname;
const PLURALS: Readonly<Record<string, string>> = {
  MutatingAdmissionPolicy: 'mutatingadmissionpolicies',
  MutatingAdmissionPolicyBinding: 'mutatingadmissionpolicybindings',
  MutatingWebhookConfiguration: 'mutatingwebhookconfigurations',
};

/** What takes it away again. */
export type Removal = () => Promise<void>;

const rendered = (directory: string): readonly KubernetesObject[] =>
  parseAllDocuments(kubectl(['kustomize', `${ROOT}${directory}`])).map((document) => document.toJS());

async function applied(objects: readonly KubernetesObject[]): Promise<Removal> {
  const refs = objects.map(({ apiVersion = '', kind = '', metadata }) => {
    const plural = PLURALS[kind] ?? assert.fail(kind);
    return { apiVersion, plural, name: metadata?.name ?? '' };
  });
  for (const [index, ref] of refs.entries()) {
    await client.apply(ref, objects[index], { fieldManager: 'flamegate-test', force: true });
  }
  return async () => {
    for (const ref of refs) await client.delete(ref);
  };
}

/** The version that the cluster of the tests serves. */
export const admissionPoliciesInstalled = (): Promise<Removal> =>
  applied(
    rendered('config/pod-creation/policy-v1beta1').filter(({ kind }) =>
      kind?.startsWith('MutatingAdmission'),
    ),
  );

interface Configuration extends KubernetesObject {
  readonly webhooks: readonly { readonly clientConfig: object }[];
}

export interface RunningWebhook {
  readonly stop: Removal;
  readonly remove: Removal;
}

/** In this process, which the API server reaches by the address of its network that the machine has. */
export async function webhookInstalled(
  view: WebhookOptions['view'],
  systemNamespace: string,
  agentsNamespace: string,
): Promise<RunningWebhook> {
  const found = rendered('test/fixtures/webhook-install').find(
    ({ kind }) => PLURALS[kind ?? ''] !== undefined,
  );
  const configuration = found as Configuration;
  const start = (webhookPort: number): Promise<Webhook> =>
    startWebhook({
      ...{ client, view, registry: new Registry(), log: pino({ level: 'silent' }), now: Date.now },
      config: { namespace: systemNamespace, agentsNamespace, webhookPort },
    });
  const first = await start(0); // for a port that is free; the configuration has to be there for its authority
  await first.stop();
  const url = `https://${reachableAddress()}:${first.port}/pods`;
  const webhooks = configuration.webhooks.map((hook) => ({ ...hook, clientConfig: { url } }));
  const remove = await applied([{ ...configuration, webhooks } as KubernetesObject]);
  const webhook = await start(first.port);
  return { stop: () => webhook.stop(), remove };
}

function reachableAddress(): string {
  const server = URL.parse(kubeConfig.getCurrentCluster()?.server ?? '')?.hostname ?? '';
  const network = server.slice(0, server.lastIndexOf('.') + 1);
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return (
    addresses.find(({ address }) => address.startsWith(network))?.address ??
    assert.fail(`no address of this machine is in the network of the API server ${server}`)
  );
}
