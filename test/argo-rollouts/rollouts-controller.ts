/** The real controller of Argo Rollouts, and its kinds, before a bare API server. */
import { execFileSync, spawn } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubeClient } from '../../src/kube/client.ts';
import { freePort, killed } from '../bare/api-server.ts';

export interface RolloutsController {
  /** Its log, for a failed test. */
  log(): string;
  stop(): Promise<void>;
}

const MAX_LOG = 1_000_000;

export async function rolloutsController(
  client: KubeClient,
  kubeconfigFile: string,
): Promise<RolloutsController> {
  const build = new URL('build.sh', import.meta.url).pathname;
  const directory = execFileSync(build, { encoding: 'utf8' }).trim();
  await installKinds(client, join(directory, 'crds'));
  const ports = ['--healthzPort', String(await freePort()), '--metricsport', String(await freePort())];
  const child = spawn(
    join(directory, 'rollouts-controller'),
    ['--kubeconfig', kubeconfigFile, '--leader-elect=false', ...ports],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-MAX_LOG);
  });
  return { log: () => log, stop: () => killed(child) };
}

async function installKinds(client: KubeClient, directory: string): Promise<void> {
  for (const file of globSync(join(directory, '*-crd.yaml'))) {
    for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
      const definition: { readonly metadata: { readonly name: string } } = document.toJS();
      const ref = { apiVersion: 'apiextensions.k8s.io/v1', plural: 'customresourcedefinitions' };
      await client.apply({ ...ref, name: definition.metadata.name }, definition, {
        ...{ fieldManager: 'argo-rollouts-install', force: true },
      });
    }
  }
}
