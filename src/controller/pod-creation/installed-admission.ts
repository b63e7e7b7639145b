/** Which of the two ways into a Pod's creation the install has: asked for by name, as far as its optional roles let. */
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import { POLICY_VERSIONS, type PolicyVersion } from './admission-policies.ts';

/** Of the policy for ProfilingPolicies, and of the webhook's configuration. */
export const ADMISSION_NAME = 'flamegate-pod-creation';
const CLUSTER_ADMISSION_NAME = 'flamegate-pod-creation-cluster';

export type InstalledAdmission =
  | { readonly by: 'MutatingAdmissionPolicy' | 'Webhook'; readonly sinceMs: number }
  /** `component`: what to apply, for this API server. */
  | { readonly by: 'Nobody'; readonly component: string };

const ASK_AGAIN_MS = 30_000;
const COMPONENTS: Readonly<Record<PolicyVersion, string>> = {
  'admissionregistration.k8s.io/v1': 'config/pod-creation/policy',
  'admissionregistration.k8s.io/v1beta1': 'config/pod-creation/policy-v1beta1',
};

/** For policies of namespaces, or of the cluster. Throws when the API server cannot be asked. */
export function installedAdmission(
  client: Pick<KubeClient, 'request'>,
  now: () => number,
  askAgainMs = ASK_AGAIN_MS,
): (ofCluster: boolean) => Promise<InstalledAdmission> {
  const known = new Map<string, { readonly askedMs: number; readonly answer: InstalledAdmission }>();
  return async (ofCluster) => {
    const name = ofCluster ? CLUSTER_ADMISSION_NAME : ADMISSION_NAME;
    const before = known.get(name);
    const nowMs = now();
    if (before !== undefined && nowMs - before.askedMs < askAgainMs) return before.answer;
    const found = await look(client, name, nowMs);
    const isSame = before?.answer.by === found.by;
    const answer = isSame && found.by !== 'Nobody' ? before.answer : found;
    known.set(name, { askedMs: nowMs, answer });
    return answer;
  };
}

async function look(
  client: Pick<KubeClient, 'request'>,
  name: string,
  sinceMs: number,
): Promise<InstalledAdmission> {
  for (const version of POLICY_VERSIONS) {
    const parts = ['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'];
    const there = await Promise.all(parts.map((plural) => isThere(client, `${version}/${plural}/${name}`)));
    if (there.every(Boolean)) return { by: 'MutatingAdmissionPolicy', sinceMs };
  }
  const webhook = `${POLICY_VERSIONS[0]}/mutatingwebhookconfigurations/${ADMISSION_NAME}`;
  return (await isThere(client, webhook))
    ? { by: 'Webhook', sinceMs }
    : { by: 'Nobody', component: await componentFor(client) };
}

/** What is not installed may not be read either: the role comes with it. */
async function isThere(client: Pick<KubeClient, 'request'>, path: string): Promise<boolean> {
  try {
    await client.request('GET', `/apis/${path}`);
    return true;
  } catch (error) {
    if (isKubeError(error, 'KUBE_NOT_FOUND') || isKubeError(error, 'KUBE_FORBIDDEN')) return false;
    throw error;
  }
}

interface ResourceList {
  readonly resources: readonly { readonly name: string }[];
}

/** Discovery may be read by everybody who is known to the API server. */
async function componentFor(client: Pick<KubeClient, 'request'>): Promise<string> {
  for (const version of POLICY_VERSIONS) {
    const list = await client.request<ResourceList>('GET', `/apis/${version}`).catch((error: unknown) => {
      if (isKubeError(error, 'KUBE_NOT_FOUND')) return { resources: [] };
      throw error;
    });
    if (list.resources.some(({ name }) => name === 'mutatingadmissionpolicies')) return COMPONENTS[version];
  }
  return 'config/pod-creation/webhook';
}
