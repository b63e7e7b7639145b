/** Kubernetes' own controllers of workloads before a bare API server, by its admin: pods come and go, and nobody runs them. */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { killed } from './api-server.ts';

export interface ControllerManager {
  stop(): Promise<void>;
}

export function controllerManager(kubeconfigFile: string, controllers: readonly string[]): ControllerManager {
  const build = new URL('../cluster/build.sh', import.meta.url).pathname;
  const programs = execFileSync(build, { encoding: 'utf8' }).trim();
  const child = spawn(
    join(programs, 'kubeling'),
    [
      ...[
        'kube-controller-manager',
        '--kubeconfig',
        kubeconfigFile,
        '--leader-elect=false',
        '--secure-port=0',
      ],
      `--controllers=${controllers.join(',')}`,
    ],
    { stdio: 'ignore' },
  );
  return { stop: () => killed(child) };
}
