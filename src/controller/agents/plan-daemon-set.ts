/**
 * The agents' DaemonSet from the PodTemplate that the install may edit. Pure.
 *
 * policies, template, DaemonSet                    → action
 * none in force, no DaemonSet                      → nothing
 * none in force, a DaemonSet of ours               → delete it
 * some, no template                                → nothing: the install has no agents yet
 * some, a template, DaemonSet missing or different → apply it
 * otherwise                                        → nothing
 */
import type { V1DaemonSet, V1PodTemplate } from '@kubernetes/client-node';

export const AGENT_NAME = 'flamegate-agent';
export const TEMPLATE_VERSION = 'flamegate.dev/template-version';

/** What the DaemonSet finds its pods by; put on the template's pods whatever else they carry. */
const SELECTOR = { 'app.kubernetes.io/name': 'flamegate', 'app.kubernetes.io/component': 'agent' };

export interface AgentsObserved {
  readonly policiesInForce: number;
  readonly template: V1PodTemplate | undefined;
  readonly daemonSet: V1DaemonSet | undefined;
  /** metadata.generation that our last write left; undefined before the first. */
  readonly writtenGeneration: number | undefined;
}

export type AgentsAction = 'nothing' | 'apply' | 'delete';

export function planDaemonSet({
  policiesInForce,
  template,
  daemonSet,
  writtenGeneration,
}: AgentsObserved): AgentsAction {
  if (policiesInForce === 0) {
    const ours = daemonSet?.metadata?.annotations?.[TEMPLATE_VERSION] !== undefined;
    return ours && daemonSet.metadata?.deletionTimestamp === undefined ? 'delete' : 'nothing';
  }
  if (template === undefined) {
    return 'nothing';
  }
  const upToDate =
    daemonSet !== undefined &&
    daemonSet.metadata?.annotations?.[TEMPLATE_VERSION] === versionOf(template) &&
    daemonSet.metadata.generation === writtenGeneration;
  return upToDate ? 'nothing' : 'apply';
}

/** Owned by the agents' ServiceAccount: an owner in another namespace would have it garbage-collected. */
export function daemonSetOf(template: V1PodTemplate, serviceAccountUid: string): V1DaemonSet {
  const { namespace = '' } = template.metadata ?? {};
  const { metadata, spec } = template.template ?? {};
  const annotations = metadata?.annotations;
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: {
      name: AGENT_NAME,
      namespace,
      labels: { ...SELECTOR, 'app.kubernetes.io/managed-by': 'flamegate' },
      annotations: { [TEMPLATE_VERSION]: versionOf(template) },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'ServiceAccount', name: AGENT_NAME, uid: serviceAccountUid },
      ],
    },
    spec: {
      selector: { matchLabels: SELECTOR },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
      template: {
        metadata: {
          labels: { ...metadata?.labels, ...SELECTOR },
          ...(annotations === undefined ? {} : { annotations }),
        },
        ...(spec === undefined ? {} : { spec }),
      },
    },
  };
}

const versionOf = (template: V1PodTemplate): string =>
  `${template.metadata?.uid ?? ''}.${template.metadata?.resourceVersion ?? ''}`;
