/** The real controller of Argo Rollouts, and its kinds, before a bare API server. */
import { execFile, spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { killed } from '../bare/api-server.ts';
import { childLog } from '../bare/child-log.ts';
import { installKinds } from '../bare/installed-kinds.ts';
import { freePort } from '../free-port.ts';
import type { ReleaseTool } from './judged-shop.ts';

export const rolloutsController: ReleaseTool = async (client, { kubeconfigFile }) => {
  const build = new URL('build.sh', import.meta.url).pathname;
  // Minutes the first time, in which the API server closes connections: somebody has to hear it.
  const { stdout } = await promisify(execFile)(build, { encoding: 'utf8' });
  const directory = stdout.trim();
  for (const file of globSync(join(directory, 'crds', '*-crd.yaml'))) await installKinds(client, file);
  const ports = ['--healthzPort', String(await freePort()), '--metricsport', String(await freePort())];
  const child = spawn(
    join(directory, 'rollouts-controller'),
    ['--kubeconfig', kubeconfigFile, '--leader-elect=false', ...ports],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  return { log: childLog([child.stderr]), stop: () => killed(child) };
};
