/**
 * Install, use, upgrade and uninstall by the commands of README.md, docs/upgrade.md and docs/uninstall.md alone, on a real API server: what is left
 * is looked for in every object of every kind that the server has.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { type BareApiServer, bareApiServer } from '../bare/api-server.ts';
import { SHOP } from '../bare/cluster.ts';
import { type ControllerManager, controllerManager } from '../bare/controller-manager.ts';
import { documentedCommands, run } from '../bare/documented-commands.ts';
import { type UsedInstall, useInstall } from '../bare/used-install.ts';
import { eventually } from '../cluster/cluster.ts';

const POLICIES = [
  '--feature-gates=MutatingAdmissionPolicy=true',
  '--runtime-config=admissionregistration.k8s.io/v1beta1=true',
];
const CONTROLLERS = [
  ...['namespace-controller', 'serviceaccount-controller', 'deployment-controller', 'replicaset-controller'],
  ...['garbage-collector-controller', 'clusterrole-aggregation-controller'],
];
const PATIENCE_S = 300; // on a busy machine
const namespaces = { apiVersion: 'v1', plural: 'namespaces' };
let api: BareApiServer;
let manager: ControllerManager;
let env: Record<string, string>;
let used: UsedInstall | undefined;

before(async () => {
  api = await bareApiServer(POLICIES);
  manager = controllerManager(api.kubeconfigFile, CONTROLLERS);
  await eventually('what Kubernetes makes by itself', PATIENCE_S, async () => {
    const objects = await everyObject();
    const own = ['default', 'kube-node-lease', 'kube-public', 'kube-system'].map(
      (name) => `serviceaccounts ${name}/default`,
    );
    return [...own, 'services default/kubernetes'].every((key) => objects.has(key)) || undefined;
  });
  env = { KUBECONFIG: api.kubeconfigFile, PATH: `${built('../cluster/build.sh')}:${process.env['PATH']}` };
});

after(async () => {
  await manager.stop();
  await api.close();
});

beforeEach(async () => {
  await run(`kubectl create namespace ${SHOP}`, env);
});

afterEach(async () => {
  await client().delete({ ...namespaces, name: SHOP });
  await eventually('its namespace is gone', PATIENCE_S, async () =>
    (await client().get({ ...namespaces, name: SHOP })) === undefined ? true : undefined,
  );
  await used?.stop(); // with its kubelet, by which pods go
  used = undefined;
});

const built = (script: string): string =>
  execFileSync(new URL(script, import.meta.url).pathname, { encoding: 'utf8' }).trim();
const client = () => api.client;
const type = (page: string, block: string): Promise<string> => run(documentedCommands(page, block), env);
const INSTALL = 'README.md';
const UPGRADE = 'docs/upgrade.md';
const UNINSTALL = 'docs/uninstall.md';

test('installed by kustomize with everything optional, used, upgraded and uninstalled: nothing is left', async () => {
  const before = await everyObject();
  await type(INSTALL, 'install by kustomize');
  for (const part of ['pod-creation/policy-v1beta1', ...optionalRoles()])
    await run(`kubectl apply --server-side -k config/${part}`, env);
  used = await useInstall(api);
  await olderKinds();

  await run(withoutRollout(documentedCommands(UPGRADE, 'kustomize')), env);
  assert.deepEqual(await shortNames(), ['profpol']);
  assert.equal((await type(UPGRADE, 'evaluating')).split('\n').length, 4, 'both gates outlive an upgrade');

  await objectsGo(used);
  await type(UNINSTALL, 'optional');
  await used.controller.kill();
  await type(UNINSTALL, 'kustomize');

  await nothingIsLeft(before);
});

test('installed by Helm, used, upgraded and uninstalled: nothing is left', async () => {
  env['PATH'] = `${built('../helm/build.sh')}:${env['PATH']}`;
  const before = await everyObject();
  await type(INSTALL, 'install by Helm');
  used = await useInstall(api);
  await olderKinds();

  await type(UPGRADE, 'helm');
  assert.deepEqual(await shortNames(), ['profpol']);

  await objectsGo(used);
  await used.controller.kill();
  await type(UNINSTALL, 'helm');

  await nothingIsLeft(before);
});

test('where the controller is gone before its policies, the commands for that leave nothing either', async () => {
  const before = await everyObject();
  await type(INSTALL, 'install by kustomize');
  used = await useInstall(api);
  await used.controller.kill();

  assert.equal(await type(UNINSTALL, 'injected'), `${SHOP}/orders\n`);
  await type(UNINSTALL, 'rescue');
  for (const name of ['held', 'stopped'])
    await run(`kubectl rollout resume -n ${SHOP} deployment/${name}`, env);
  await type(UNINSTALL, 'marks');
  await type(UNINSTALL, 'objects');
  await type(UNINSTALL, 'kustomize');

  await nothingIsLeft(before);
});

const optionalRoles = (): readonly string[] =>
  [...documentedCommands(UNINSTALL, 'optional').matchAll(/config\/(targets\/\S+)/g)].map(
    ([, part = '']) => part,
  );

/** Nothing runs pods here. */
const withoutRollout = (commands: string): string => commands.replace(/^kubectl rollout status .*$/m, '');

/** What an older release had. */
async function olderKinds(): Promise<void> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/profilingpolicies.flamegate.dev';
  await client().request(
    'PATCH',
    path,
    { spec: { names: { shortNames: ['older'] } } },
    'application/merge-patch+json',
  );
}

async function shortNames(): Promise<readonly string[] | undefined> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/profilingpolicies.flamegate.dev';
  return (await client().request<{ spec: { names: { shortNames?: string[] } } }>('GET', path)).spec.names
    .shortNames;
}

async function objectsGo({ deployment }: UsedInstall): Promise<void> {
  await type(UNINSTALL, 'objects');
  await eventually('what was held is released', PATIENCE_S, async () => {
    const stopped = (await type(UNINSTALL, 'stopped')).trim().split('\n').slice(1);
    return (stopped.length === 1 && stopped[0]?.startsWith(`${SHOP} `)) || undefined;
  });
  const { spec } = await deployment('stopped');
  assert.equal(spec?.paused, true, 'what a verdict stopped stays stopped');
  await run(
    `kubectl rollout resume -n ${SHOP} deployment/stopped && kubectl rollout undo -n ${SHOP} deployment/stopped`,
    env,
  );
  await type(UNINSTALL, 'marks');
}

interface Resources {
  readonly resources: readonly { readonly name: string; readonly verbs: readonly string[] }[];
}

interface Group {
  readonly name: string;
  readonly preferredVersion: { readonly groupVersion: string };
}

interface Listed {
  readonly metadata: { readonly namespace?: string; readonly name: string };
}

/** All of every kind, and what it says: managed fields, finalizers, annotations and all. */
async function everyObject(): Promise<ReadonlyMap<string, string>> {
  const get = <T>(path: string): Promise<T> => client().request<T>('GET', path);
  const { groups } = await get<{ groups: readonly Group[] }>('/apis');
  const versions = [
    '/api/v1',
    ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`),
  ];
  const objects = new Map<string, string>();
  for (const version of versions) {
    const { resources } = await get<Resources>(version);
    for (const { name: plural } of resources.filter(({ verbs }) => verbs.includes('list'))) {
      const { items } = await get<{ items: readonly Listed[] }>(`${version}/${plural}`);
      for (const object of items) {
        const { namespace = '', name } = object.metadata;
        objects.set(`${plural} ${namespace}/${name}`, JSON.stringify(object));
      }
    }
  }
  return objects;
}

/** docs/uninstall.md says of them that they go by themselves. */
const GOES = /^events/;

async function nothingIsLeft(before: ReadonlyMap<string, string>): Promise<void> {
  const left = await eventually('it is all gone', PATIENCE_S, async () => {
    const now = await everyObject();
    const ofOurs = [...now]
      .filter(([key, text]) => /flamegate/i.test(text) && !GOES.test(key))
      .map(([key]) => key);
    return ofOurs.length === 0 ? now : assert.fail(ofOurs.join());
  });
  // whatever it is called: an object more is one of the service's own
  const more = [...left.keys()].filter(
    (key) => !before.has(key) && !key.includes(` ${SHOP}/`) && !key.startsWith('events'),
  );
  assert.deepEqual(
    more.filter((key) => key !== `namespaces /${SHOP}`),
    [],
  );
  for (const name of ['orders', 'held', 'stopped']) {
    const text = left.get(`deployments ${SHOP}/${name}`) ?? assert.fail(name);
    assert.doesNotMatch(text, /JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS/, name);
  }
}
