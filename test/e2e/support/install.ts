/** Flamegate installed the way the README says, mode Live granted; calling it again changes nothing. */
import { fileURLToPath } from 'node:url';
import { kubectl } from '../../cluster/cluster.ts';
import { rolledOut } from './orders.ts';

const INSTALL = fileURLToPath(new URL('install', import.meta.url));

export async function installFlamegate(): Promise<void> {
  await kubectl('apply', '--server-side', '-k', INSTALL);
  await kubectl('wait', '--for=condition=Established', 'crd/regressiongates.flamegate.dev', '--timeout=60s');
  await rolledOut('flamegate-system', 'flamegate-controller', 120);
}

/** A policy that profiles everything of the shop in a namespace; without flags nothing restarts. */
export function profilingPolicy(namespace: string, name: string, spec: object = {}): object {
  return {
    apiVersion: 'flamegate.dev/v1alpha1',
    kind: 'ProfilingPolicy',
    metadata: { namespace, name },
    spec: { podSelector: { matchLabels: { 'app.kubernetes.io/part-of': 'shop' } }, ...spec },
  };
}

export function regressionGate(namespace: string, name: string, spec: object): object {
  return {
    apiVersion: 'flamegate.dev/v1alpha1',
    kind: 'RegressionGate',
    metadata: { namespace, name },
    spec,
  };
}
