/** What a container's profiles are found by. Pure. */
import type { OtlpAttributes } from '../sinks/otlp-fields.ts';
import type { AssignedContainer } from '../wire/assignment.ts';
import { answererAttributes } from './answerer.ts';

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

/** The same in OpenTelemetry's words, where it has any. */
export function profileAttributes(container: AssignedContainer, node: string): OtlpAttributes {
  const { workload, pod, containerId, profiles } = container;
  const { revision, image } = profiles ?? {};
  return {
    'service.name': workload?.name ?? pod,
    ...answererAttributes(container),
    'k8s.node.name': node,
    'container.id': containerId,
    ...(revision === undefined ? {} : { 'flamegate.revision': revision }),
    ...(image === undefined ? {} : imageAttributes(image)),
  };
}

/** "registry:5000/orders:2@sha256:…": a colon behind the last slash begins the tag. */
function imageAttributes(image: string): OtlpAttributes {
  const [, name = image, tag] = /^(.*?)(?::([^:/@]+))?(?:@[^/]*)?$/.exec(image) ?? [];
  return { 'container.image.name': name, ...(tag === undefined ? {} : { 'container.image.tags': [tag] }) };
}
