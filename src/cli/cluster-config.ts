/** The user's kubeconfig, found as kubectl finds it. */
import { KubeConfig } from '@kubernetes/client-node';
import { CliError } from './cli-error.ts';
import type { ClusterOptions } from './command.ts';
import { reasonOf } from './files.ts';

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
  if (config.getCurrentCluster() === null) {
    throw new CliError('FILE_UNREADABLE', `the kubeconfig has no context ${context ?? '(none is current)'}`);
  }
  return config;
}
