/** The user's kubeconfig, found as kubectl finds it. */
import { KubeConfig } from '@kubernetes/client-node';
import { CliError } from './cli-error.ts';
import type { ClusterOptions } from './command.ts';
import { reasonOf } from './files.ts';

/** By client-node, where it finds no kubeconfig and is in no pod; it would then say that HTTP is not allowed. */
const ASSUMED = 'http://localhost:8080';

export function clusterConfig({ kubeconfig, context }: ClusterOptions): KubeConfig {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) {
      config.loadFromDefault();
    } else {
      config.loadFromFile(kubeconfig);
    }
    if (context !== undefined) {
      config.setCurrentContext(context);
    }
  } catch (cause) {
    throw new CliError('FILE_UNREADABLE', `cannot load the kubeconfig: ${reasonOf(cause)}`, cause);
  }
  if (config.getCurrentCluster()?.server === ASSUMED) {
    throw new CliError(
      'FILE_UNREADABLE',
      'there is no kubeconfig: no --kubeconfig, no KUBECONFIG, no ~/.kube/config',
    );
  }
  if (config.getCurrentCluster() === null) {
    throw new CliError('FILE_UNREADABLE', `the kubeconfig has no context ${context ?? '(none is current)'}`);
  }
  return config;
}
