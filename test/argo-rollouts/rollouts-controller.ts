/** The real controller of Argo Rollouts, and its kinds, before a bare API server. */
import { execFile, spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, killed } from '../bare/api-server.ts';
import { installKinds } from '../bare/installed-kinds.ts';
import type { ReleaseTool } from './judged-shop.ts';

const MAX_LOG = 1_000_000;

export const rolloutsController: ReleaseTool = async (client, { kubeconfigFile }) => {
  const build = new URL('build.sh', import.meta.url).pathname;
  // Minutes the first time, in which the API server closes connections: somebody has to hear it.
  const { stdout } = await promisify(execFile)(build, { encoding: 'utf8', maxBuffer: MAX_LOG });
  const directory = stdout.trim();
  for (const file of globSync(join(directory, 'crds', '*-crd.yaml'))) await installKinds(client, file);
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
};
