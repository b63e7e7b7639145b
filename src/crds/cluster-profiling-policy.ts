/** ClusterProfilingPolicy: a ProfilingPolicy of a platform team, for the pods of all namespaces that it selects. */
import { type Static, Type } from '@sinclair/typebox';
import {
  Injection,
  MAX_INJECTIONS,
  type ProfilingPolicy,
  ProfilingPolicySpec,
  ProfilingPolicyStatus,
  policyColumns,
} from './profiling-policy.ts';
import { type ClusterResource, type Kind, LabelSelector } from './schema.ts';
import { WorkloadStatus } from './workload-status.ts';

const ClusterProfilingPolicySpec = Type.Object(
  {
    namespaceSelector: Type.Unsafe<LabelSelector>({
      ...LabelSelector,
      description:
        'The namespaces of the pods, by their labels. Every namespace has the label kubernetes.io/metadata.name.',
    }),
    ...ProfilingPolicySpec.properties,
    podSelector: Type.Unsafe<LabelSelector>({
      ...LabelSelector,
      description: 'The pods of these namespaces to profile.',
    }),
  },
  {
    description:
      'What to profile, and how. A ProfilingPolicy of a pod’s namespace counts before any ClusterProfilingPolicy.',
  },
);
type ClusterProfilingPolicySpec = Static<typeof ClusterProfilingPolicySpec>;

const ClusterWorkloadStatus = Type.Object({
  namespace: Type.String({ maxLength: 63, description: 'Namespace of the workload.' }),
  ...WorkloadStatus.properties,
});
export type ClusterWorkloadStatus = Static<typeof ClusterWorkloadStatus>;

const ClusterInjection = Type.Object({
  namespace: Type.String({ maxLength: 63, description: 'Namespace of the workload.' }),
  ...Injection.properties,
});

const ClusterProfilingPolicyStatus = Type.Object(
  {
    ...ProfilingPolicyStatus.properties,
    namespaces: Type.Optional(Type.Integer({ minimum: 0, description: 'Namespaces that are selected.' })),
    injections: Type.Optional(
      Type.Array(ClusterInjection, {
        maxItems: MAX_INJECTIONS,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['namespace', 'kind', 'name', 'container'],
        description:
          'With spec.jvm.flags.mode OnPodCreation, what pods get that are created from now on. The API server reads it here at each creation of a Pod, by config/pod-creation.',
      }),
    ),
    workloads: Type.Optional(
      Type.Array(ClusterWorkloadStatus, {
        maxItems: 64,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['namespace', 'kind', 'name', 'container'],
        description:
          'The containers that this policy profiles, by workload; of more than 64 those with trouble come first.',
      }),
    ),
  },
  { description: 'What the controller and the agents found. Nobody else writes it.' },
);
export type ClusterProfilingPolicyStatus = Static<typeof ClusterProfilingPolicyStatus>;

export type ClusterProfilingPolicy = ClusterResource<
  ClusterProfilingPolicySpec,
  ClusterProfilingPolicyStatus
>;

/** A policy of either kind. Only that of a namespace has `metadata.namespace`. */
export type AnyProfilingPolicy = ProfilingPolicy | ClusterProfilingPolicy;

export const clusterProfilingPolicyKind: Kind = {
  kind: 'ClusterProfilingPolicy',
  plural: 'clusterprofilingpolicies',
  singular: 'clusterprofilingpolicy',
  scope: 'Cluster',
  shortNames: ['cprofpol'],
  description: 'Chooses the pods of many namespaces whose JVMs are profiled from the kernel.',
  spec: ClusterProfilingPolicySpec,
  status: ClusterProfilingPolicyStatus,
  columns: [{ name: 'Namespaces', type: 'integer', jsonPath: '.status.namespaces' }, ...policyColumns],
};
