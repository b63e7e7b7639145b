/**
 * The real Argo CD before a bare API server: its application controller and repo server with kustomize and Debian's redis, as processes of
 * this machine. Its page and its API server are not there: nobody asks them. Health scripts reach it as an install would have them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import type { KubeClient } from '../../src/kube/client.ts';
import { killed } from '../bare/api-server.ts';
import { childLog } from '../bare/child-log.ts';
import { freePort } from '../free-port.ts';
import { kustomize } from '../helm/helm.ts';

export const ARGO_CD = 'argocd';

export interface ArgoCd {
  /** What its parts have said last, for a failed test. */
  log(): string;
  stop(): Promise<void>;
}

const ROOT = new URL('../..', import.meta.url).pathname;
const FIELD_MANAGER = { fieldManager: 'argo-cd-install', force: true };

/** `directory`: of this one's own, where it may write. */
export async function argoCd(client: KubeClient, kubeconfigFile: string, directory: string): Promise<ArgoCd> {
  const programs = execFileSync(new URL('build.sh', import.meta.url).pathname, { encoding: 'utf8' }).trim();
  mkdirSync(directory);
  await install(client, programs, directory);
  const [redisPort, repoPort] = [await freePort(), await freePort()];
  const [repoMetrics, metrics] = [await freePort(), await freePort()];
  const logs = new Map<string, () => string>();
  const start = (name: string, program: string, args: readonly string[]) => {
    const child = spawn(program, args, {
      ...{ cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] },
      env: { ...environment(programs, directory), KUBECONFIG: kubeconfigFile },
    });
    logs.set(name, childLog([child.stdout, child.stderr]));
    return child;
  };
  const argo = join(programs, 'argo-cd');
  const redis = ['--redis', `127.0.0.1:${redisPort}`];
  const children = [
    start('redis', 'redis-server', [
      ...['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    ]),
    start('repo-server', argo, [
      ...['argocd-repo-server', '--address', '127.0.0.1', '--port', String(repoPort), '--disable-tls'],
      ...['--metrics-address', '127.0.0.1', '--metrics-port', String(repoMetrics), ...redis],
    ]),
    start('application-controller', argo, [
      ...[
        'argocd-application-controller',
        '--namespace',
        ARGO_CD,
        '--metrics-port',
        String(metrics),
        ...redis,
      ],
      ...['--repo-server', `127.0.0.1:${repoPort}`, '--repo-server-plaintext'],
      // Health of each resource in the Application's status: else it is in redis only, for the page.
      '--persist-resource-health',
    ]),
  ];
  return {
    log: () => [...logs].map(([name, log]) => `${name}:\n${log().slice(-6_000)}`).join('\n'),
    async stop() {
      await Promise.all(children.map(killed));
    },
  };
}

const environment = (programs: string, directory: string): NodeJS.ProcessEnv => ({
  PATH: `${programs}:${process.env['PATH']}`,
  ...{ HOME: directory, TMPDIR: directory },
  // As its own developers run it: outside of the cluster that Applications call https://kubernetes.default.svc
  ARGOCD_FAKE_IN_CLUSTER: 'true',
  ARGOCD_GPG_ENABLED: 'false',
  ARGOCD_ASK_PASS_SOCK: join(directory, 'ask-pass.sock'),
});

/** Kinds, its ConfigMap with our health scripts by the component that users add, its own Secret, and the project "default". */
async function install(client: KubeClient, programs: string, directory: string): Promise<void> {
  for (const file of globSync(join(programs, 'crds', '*-crd.yaml'))) {
    const definition: { readonly metadata: { readonly name: string } } = parse(readFileSync(file, 'utf8'));
    const ref = { apiVersion: 'apiextensions.k8s.io/v1', plural: 'customresourcedefinitions' };
    await client.apply({ ...ref, name: definition.metadata.name }, definition, FIELD_MANAGER);
  }
  const core = { apiVersion: 'v1', namespace: ARGO_CD };
  const labels = { 'app.kubernetes.io/part-of': 'argocd' };
  const metadata = { name: ARGO_CD };
  await client.create({ apiVersion: 'v1', plural: 'namespaces' }, { ...core, kind: 'Namespace', metadata });
  const settings = settingsOf(programs, join(directory, 'settings'));
  await client.apply({ ...core, plural: 'configmaps', name: 'argocd-cm' }, settings, FIELD_MANAGER);
  const stringData = { 'server.secretkey': randomBytes(32).toString('hex') };
  await client.create(
    { ...core, plural: 'secrets' },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'argocd-secret', labels }, stringData },
  );
}

/** Its own argocd-cm.yaml, in a kustomization as its documents have it, with our component. */
function settingsOf(programs: string, directory: string): object {
  mkdirSync(directory);
  copyFileSync(join(programs, 'argocd-cm.yaml'), join(directory, 'argocd-cm.yaml'));
  const kustomization = {
    ...{ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', namespace: ARGO_CD },
    ...{
      resources: ['argocd-cm.yaml'],
      components: [relative(directory, join(ROOT, 'config/argocd/health'))],
    },
  };
  writeFileSync(join(directory, 'kustomization.yaml'), stringify(kustomization));
  const [settings] = kustomize(directory);
  if (settings === undefined) throw new Error('the kustomization is empty');
  return settings;
}
