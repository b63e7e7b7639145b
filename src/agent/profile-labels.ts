/** What a container's profiles are found by. Pure. */
import type { AssignedContainer } from '../wire/assignment.ts';

/**
 * `service_name` is how Pyroscope groups, named as our spans name services; `process_cpu` is its name for CPU. What is not known is left
 * out: an empty value is a label too.
 */
export function profileLabels(
  { namespace, pod, container, workload, profiles }: AssignedContainer,
  node: string,
): Readonly<Record<string, string>> {
  const { revision, image } = profiles ?? {};
  return {
    __name__: 'process_cpu',
    service_name: workload?.name ?? pod,
    ...{ namespace, pod, container, node },
    ...(workload === undefined ? {} : { workload_kind: workload.kind }),
    ...(revision === undefined ? {} : { revision }),
    ...(image === undefined ? {} : { image }),
  };
}
