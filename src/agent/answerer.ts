/** Who answers requests, in the words of OpenTelemetry's semantic conventions for Kubernetes. */
import type { AssignedContainer } from '../wire/assignment.ts';

export type Answerer = Pick<AssignedContainer, 'namespace' | 'pod' | 'podUid' | 'container' | 'workload'>;

const WORKLOAD_NAMES: Readonly<Record<string, string>> = {
  Deployment: 'k8s.deployment.name',
  StatefulSet: 'k8s.statefulset.name',
  DaemonSet: 'k8s.daemonset.name',
  ReplicaSet: 'k8s.replicaset.name',
  Job: 'k8s.job.name',
};

export function answererAttributes({
  namespace,
  pod,
  podUid,
  container,
  workload,
}: Answerer): Record<string, string> {
  const name = workload === undefined ? undefined : WORKLOAD_NAMES[workload.kind];
  return {
    'k8s.namespace.name': namespace,
    'k8s.pod.name': pod,
    'k8s.pod.uid': podUid, // a StatefulSet's pods come again under their names
    'k8s.container.name': container,
    ...(name === undefined || workload === undefined ? {} : { [name]: workload.name }),
  };
}
