/** The real controller of Flagger, and its kinds, before a bare API server. It shifts no traffic: its provider is Kubernetes itself. */
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ReleaseTool } from '../argo-rollouts/judged-shop.ts';
import { killed } from '../bare/api-server.ts';
import { childLog } from '../bare/child-log.ts';
import { installKinds } from '../bare/installed-kinds.ts';
import { eventually } from '../cluster/cluster.ts';
import { freePort } from '../free-port.ts';

/** It trusts the authorities of a directory of PEM files, as a Flagger does that has them mounted. */
export const flaggerController: ReleaseTool = async (client, { kubeconfigFile, authorities }) => {
  const build = new URL('build.sh', import.meta.url).pathname;
  // Minutes the first time, in which the API server closes connections: somebody has to hear it.
  const { stdout } = await promisify(execFile)(build, { encoding: 'utf8' });
  const directory = stdout.trim();
  await installKinds(client, join(directory, 'crd.yaml'));
  for (const plural of ['canaries', 'metrictemplates', 'alertproviders']) {
    await eventually(`${plural} are served`, 120, () =>
      client.request('GET', `/apis/flagger.app/v1beta1/${plural}`),
    );
  }
  const child = spawn(
    join(directory, 'flagger'),
    [
      ...['-kubeconfig', kubeconfigFile, '-mesh-provider', 'kubernetes', '-log-level', 'info'],
      ...['-port', String(await freePort()), '-control-loop-interval', '2s'],
      ...['-metrics-server', 'http://localhost:9'], // none of its metrics is asked for
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: directory, SSL_CERT_DIR: authorities },
    },
  );
  return { log: childLog([child.stdout, child.stderr]), stop: () => killed(child) };
};
