/** A gate decides about a Canary of the real Flagger, which asks by its webhooks: as in samples/rollouts/flagger.yaml, and by type rollout. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { V1Deployment } from '@kubernetes/client-node';
import { pathOf } from '../../src/kube/client.ts';
import { flaggerWebhookPath } from '../../src/wire/endpoints.ts';
import { GATE, type JudgedShop, judgedShop, type SampleObject } from '../argo-rollouts/judged-shop.ts';
import { SHOP } from '../bare/cluster.ts';
import { eventually } from '../cluster/cluster.ts';
import { flaggerController } from '../flagger/flagger-controller.ts';

const CANARY = { apiVersion: 'flagger.app/v1beta1', plural: 'canaries', namespace: SHOP, name: 'orders' };
const DEPLOYMENTS = { apiVersion: 'apps/v1', plural: 'deployments', namespace: SHOP };
const PATIENCE_S = 900;
let shop: JudgedShop;

before(async () => {
  shop = await judgedShop(['deployment-controller', 'replicaset-controller'], {
    ...{ tool: flaggerController, settings: 'webhooks: {flagger: true}\n' },
  });
  await shop.client.create(DEPLOYMENTS, ORDERS);
  await shop.applySample('flagger.yaml', inIterations);
  await untilPhase('Initialized');
});

after(() => shop.stop());

const ORDERS: V1Deployment = {
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'orders' } },
  spec: {
    replicas: 4,
    selector: { matchLabels: { app: 'orders' } },
    template: {
      metadata: { labels: { app: 'orders' } },
      spec: {
        ...{ nodeName: 'node-1', terminationGracePeriodSeconds: 0 },
        containers: [{ name: 'app', image: 'orders:stable', ports: [{ containerPort: 8080 }] }],
      },
    },
  },
};

/** Without a mesh there are no weights: all pods of both revisions run, as often as Flagger looks. */
function inIterations({ kind, spec: { analysis } }: SampleObject): void {
  if (kind !== 'Canary') return;
  assert.ok(analysis);
  const { stepWeight: _, maxWeight: __, ...kept } = analysis;
  for (const name of Object.keys(analysis)) delete analysis[name];
  Object.assign(analysis, kept, { interval: '10s', iterations: 2 });
}

interface Canary {
  readonly status?: { readonly phase?: string; readonly failedChecks?: number };
}

async function untilPhase(wanted: string): Promise<void> {
  const seen: { status?: Canary['status'] } = {};
  await eventually(`the Canary is ${wanted}`, PATIENCE_S, async () => {
    seen.status = (await shop.client.get<Canary>(CANARY))?.status;
    return seen.status?.phase === wanted ? true : undefined;
  }).catch(async (error: unknown) => {
    const { status } = (await shop.gate()) ?? {};
    assert.fail(
      `${String(error)}: ${JSON.stringify(seen)} ${JSON.stringify(status)}\n${told().slice(-50).join('\n')}`,
    );
  });
}

/** Its log has what its Events say, of which an API server keeps the first few of a Canary. */
const told = (): readonly string[] =>
  shop
    .toolLog()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line): { msg?: string } => JSON.parse(line))
    .map(({ msg = '' }) => msg);

const untilTold = (what: RegExp): Promise<string> =>
  eventually(`Flagger tells ${what}`, PATIENCE_S, () => told().find((message) => what.test(message)));

const deployment = async (name: string): Promise<V1Deployment> =>
  (await shop.client.get<V1Deployment>({ ...DEPLOYMENTS, name })) ?? assert.fail(`no Deployment ${name}`);

const imageOf = async (name: string): Promise<string | undefined> =>
  (await deployment(name)).spec?.template.spec?.containers[0]?.image;

async function gateSays(): Promise<string> {
  const { verdict, evaluation } = (await shop.gate())?.status ?? {};
  return `${verdict} of ${evaluation?.canary} against ${evaluation?.baseline}`;
}

/** The pair that runs now: their hashes, once they have pods. */
async function pair(canary: string, primary: string): Promise<string> {
  const hashOf = (app: string, image: string) =>
    eventually(`pods of ${app} with ${image}`, PATIENCE_S, () => {
      const pods = shop
        .pods()
        .filter(
          ({ metadata, spec }) => metadata?.labels?.['app'] === app && spec?.containers[0]?.image === image,
        );
      return pods[0]?.metadata?.labels?.['pod-template-hash'];
    });
  return `${await hashOf('orders', canary)} against ${await hashOf('orders-primary', primary)}`;
}

async function patch(ref: typeof CANARY, spec: object): Promise<void> {
  await shop.client.request('PATCH', pathOf(ref), { spec }, 'application/merge-patch+json');
}

test('a slow canary is rolled back by the verdict that Flagger asked for', async () => {
  await shop.setImage('orders:slow', 'deployments');
  const onTrial = await pair('orders:slow', 'orders:stable');
  await untilPhase('Failed');

  assert.equal(await gateSays(), `Failed of ${onTrial}`);
  assert.equal(await imageOf('orders-primary'), 'orders:stable');
  assert.equal((await deployment('orders')).spec?.replicas, 0);
  await untilTold(/^Rollback check flamegate-failed passed/);
});

test('a good canary waits for its verdict, and is promoted by it', async () => {
  await patch(GATE, { duration: { min: '30m', deadline: '1h' } });
  await shop.setImage('orders:good', 'deployments');
  const onTrial = await pair('orders:good', 'orders:stable');
  await untilPhase('WaitingPromotion');
  await patch(GATE, { duration: { min: '1m', deadline: '10m' } });
  await untilPhase('Succeeded');

  assert.equal(await gateSays(), `Passed of ${onTrial}`);
  assert.equal(await imageOf('orders-primary'), 'orders:good');
  await untilTold(/^Confirm-promotion check flamegate-passed passed/);
});

test('a slow canary is halted by a webhook of type rollout over a verified connection, and rolled back', async () => {
  const url = `https://localhost:${shop.httpsPort}${flaggerWebhookPath('rollout')}`;
  const webhooks = [{ name: 'flamegate', type: 'rollout', url, retries: 3 }];
  await patch(CANARY, { analysis: { iterations: 100, threshold: 1, webhooks } });

  await shop.setImage('orders:slow-again', 'deployments');
  const onTrial = await pair('orders:slow-again', 'orders:good');
  const halted = await untilTold(/^Halt orders\.shop advancement external check flamegate failed/);
  await untilPhase('Failed');

  assert.match(halted, /"code":"CANARY_FAILED"/);
  assert.equal(await gateSays(), `Failed of ${onTrial}`);
  assert.equal(await imageOf('orders-primary'), 'orders:good');
});
