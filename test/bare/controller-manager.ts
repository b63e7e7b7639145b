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
  const start = () =>
    spawn(
      join(programs, 'kubeling'),
      [
        ...['kube-controller-manager', '--kubeconfig', kubeconfigFile],
        ...['--leader-elect=false', '--secure-port=0', `--controllers=${controllers.join(',')}`],
      ],
      { stdio: 'ignore' },
    );
  let child = start();
  // It gives up where a busy machine's API server is slow to answer, and a kubelet would start it again.
  const timer = setInterval(() => {
    if (child.exitCode !== null) child = start();
  }, 1_000);
  return {
    stop() {
      clearInterval(timer);
      return killed(child);
    },
  };
}
