/** The Helm chart and the kustomization install the same, by the real helm and the real kustomize, on a real API server. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { API_VERSION } from '../../src/crds/schema.ts';
import { type BareApiServer, bareApiServer } from '../bare/api-server.ts';
import { eventually } from '../cluster/cluster.ts';
import { helm, kustomize, type Manifest, objectsIn } from '../helm/helm.ts';

const root = new URL('../..', import.meta.url).pathname;
const CHART = join(root, 'charts/flamegate');
const directory = mkdtempSync(join(tmpdir(), 'flamegate-helm-'));
let api: BareApiServer;

before(async () => {
  api = await bareApiServer();
  await api.runControllers(['namespace-controller', 'serviceaccount-controller']);
});

after(async () => {
  await api.close();
  rmSync(directory, { recursive: true });
});

const template = (...values: readonly string[]): readonly Manifest[] =>
  objectsIn(helm(['template', 'flamegate', CHART, ...values.flatMap((value) => ['--set', value])]));

/** By kind and name, without what tells Helm to keep the kinds. */
function byName(objects: readonly Manifest[]): Readonly<Record<string, object>> {
  const named = objects.map((object): [string, object] => {
    const { kind, metadata } = object;
    const { 'helm.sh/resource-policy': _, ...annotations } = metadata.annotations ?? {};
    const { annotations: __, ...rest } = metadata;
    const isBare = Object.keys(annotations).length === 0;
    const said = { ...object, metadata: isBare ? rest : { ...rest, annotations } };
    return [`${kind} ${metadata.namespace ?? ''}/${metadata.name}`, said];
  });
  assert.equal(new Map(named).size, objects.length);
  return Object.fromEntries(named.toSorted(([a], [b]) => a.localeCompare(b)));
}

/** config/default with these components or resources beside it. */
function kustomized(more: object): readonly Manifest[] {
  const kustomization = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', ...more };
  writeFileSync(join(directory, 'kustomization.yaml'), stringify(kustomization));
  return kustomize(directory);
}

test('with its default values the chart is what config/default is', () => {
  assert.deepEqual(byName(template()), byName(kustomize(join(root, 'config/default'))));
});

test('with two replicas it is that with config/standby, and with targets that with their roles', () => {
  const path = (name: string): string => relative(directory, join(root, 'config', name));
  const standby = { resources: [path('default')], components: [path('standby')] };
  const kinds = ['stateful-sets', 'argo-rollouts', 'flagger'];
  const targets = { resources: [path('default'), ...kinds.map((kind) => path(`targets/${kind}`))] };

  assert.deepEqual(byName(template('controller.replicas=2')), byName(kustomized(standby)));
  assert.deepEqual(
    byName(template('targets.statefulSets=true', 'targets.argoRollouts=true', 'targets.flagger=true')),
    byName(kustomized(targets)),
  );
});

test('values reach what they are about, and what is misspelled is refused', () => {
  const objects = template(
    ...[
      'image.registry=registry.example.com/team',
      'image.tag=1.2.3',
      'agent.live=true',
      'crds.install=false',
    ],
    ...['networkPolicies.enabled=false', 'flagInjection.enabled=false', 'namespaces.create=false'],
    ...['agent.tolerations[0].key=dedicated', 'agent.tolerations[0].operator=Exists'],
  );
  const kinds = new Set(objects.map(({ kind }) => kind));
  const text = JSON.stringify(objects);

  for (const gone of ['CustomResourceDefinition', 'NetworkPolicy', 'Namespace'])
    assert.ok(!kinds.has(gone), gone);
  assert.ok(!text.includes('flamegate-flag-injection'));
  assert.ok(text.includes('"image":"registry.example.com/team/flamegate-controller:1.2.3"'));
  assert.ok(text.includes('"image":"registry.example.com/team/flamegate-agent:1.2.3"'));
  assert.ok(text.includes('{"name":"FLAMEGATE_LIVE","value":"true"}'));
  assert.ok(text.includes('"tolerations":[{"key":"dedicated","operator":"Exists"}]'));
  assert.throws(() => template('controler.replicas=2'), /additional propert\w+ '?controler/i);
});

test('the settings are a text of their own', () => {
  const file = join(directory, 'settings.yaml');
  writeFileSync(file, 'budget:\n  maxAgentCpu: 2% # of a core\n');

  const objects = objectsIn(helm(['template', 'flamegate', CHART, '--set-file', `settings=${file}`]));

  const settings = objects.find(({ metadata }) => metadata.name === 'flamegate-settings');
  assert.deepEqual((settings as { data?: object } | undefined)?.data, {
    'settings.yaml': 'budget:\n  maxAgentCpu: 2% # of a core\n',
  });
});

test('installed, upgraded with newer kinds, and uninstalled: policies outlive it', async () => {
  const env = { KUBECONFIG: api.kubeconfigFile };
  const release = ['--namespace', 'default'];
  const crd = { apiVersion: 'apiextensions.k8s.io/v1', plural: 'customresourcedefinitions' };
  const kinds = { ...crd, name: 'profilingpolicies.flamegate.dev' };
  const deployments = { apiVersion: 'apps/v1', plural: 'deployments', namespace: 'flamegate-system' };
  const controller = { ...deployments, name: 'flamegate-controller' };
  const policies = { apiVersion: API_VERSION, plural: 'profilingpolicies', namespace: 'default' };

  helm(['install', 'flamegate', CHART, ...release], env);
  const installed = objectsIn(helm(['get', 'manifest', 'flamegate', ...release], env));
  assert.deepEqual(byName(installed), byName(template()));
  const object = { apiVersion: API_VERSION, kind: 'ProfilingPolicy', metadata: { name: 'kept' } };
  const policy = { ...object, spec: { podSelector: { matchLabels: { app: 'orders' } } } };
  await eventually('a policy', 60, () => api.client.create(policies, policy));

  // What an older release had: the upgrade puts the kind back, which Helm's own directory for kinds never does.
  const merge = 'application/merge-patch+json';
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${kinds.name}`;
  await api.client.request('PATCH', path, { spec: { names: { shortNames: ['older'] } } }, merge);
  helm(['upgrade', 'flamegate', CHART, ...release, '--set', 'controller.replicas=2'], env);
  interface Read {
    readonly spec: {
      readonly replicas?: number;
      readonly names?: { readonly shortNames?: readonly string[] };
    };
  }
  assert.equal((await api.client.get<Read>(controller))?.spec.replicas, 2);
  assert.deepEqual((await api.client.get<Read>(kinds))?.spec.names?.shortNames, ['profpol']);

  helm(['uninstall', 'flamegate', ...release, '--wait'], env);
  await eventually('the controller is gone', 120, async () =>
    (await api.client.get(controller)) === undefined ? true : undefined,
  );
  assert.ok(await api.client.get(kinds));
  assert.ok(await api.client.get({ ...policies, name: 'kept' }));

  // And again, over the kinds that were kept.
  helm(['install', 'flamegate', CHART, ...release], env);
  assert.ok(await api.client.get(controller));
});
