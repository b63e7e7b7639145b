/** Whether the install lets the controller do what a gate asks for, asked before it has to be done. */
import type { RegressionGate } from '../../crds/regression-gate.ts';
import { resourceName, TARGET_KINDS } from '../../crds/target-kinds.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Steered } from './steered.ts';

export interface Permissions {
  /** What is missing, and where it is; undefined: nothing. */
  missing(gate: RegressionGate, target: Steered): Promise<string | undefined>;
}

interface Right {
  readonly verb: 'get' | 'patch';
  readonly subresource?: 'status';
}

/** Roles come and go without a word. */
const ASK_AGAIN_MS = 60_000;
const MAX_REMEMBERED = 1_000; // namespaces with such gates, times two rights

export function permissions(client: KubeClient, now: () => number): Permissions {
  const known = new Map<string, { readonly atMs: number; readonly allowed: boolean }>();
  const may = async (namespace: string, kind: Steered['kind'], right: Right): Promise<boolean> => {
    const key = `${namespace} ${kind} ${right.verb} ${right.subresource ?? ''}`;
    const before = known.get(key);
    if (before !== undefined && now() - before.atMs < ASK_AGAIN_MS) return before.allowed;
    const allowed = await ask(client, namespace, kind, right);
    const oldest = known.keys().next().value;
    if (known.size >= MAX_REMEMBERED && oldest !== undefined) known.delete(oldest);
    known.delete(key);
    known.set(key, { atMs: now(), allowed });
    return allowed;
  };
  return {
    async missing({ spec }, { namespace, kind }) {
      for (const right of rightsFor(spec, kind)) {
        if (await may(namespace, kind, right)) continue;
        const { verb, subresource } = right;
        const what = `${resourceName(kind)}${subresource === undefined ? '' : `/${subresource}`}`;
        return `the controller may not ${verb} ${what} in namespace ${namespace}: apply ${roleFor(spec, kind)}`;
      }
      return undefined;
    },
  };
}

function rightsFor({ onFailed }: RegressionGate['spec'], kind: Steered['kind']): readonly Right[] {
  if (kind === 'Deployment') return [{ verb: 'patch' }]; // the controller reads them anyway
  const reads: Right = { verb: 'get' };
  return onFailed === 'Abort'
    ? [reads, { verb: 'patch', subresource: 'status' }]
    : [reads, { verb: 'patch' }];
}

function roleFor({ onFailed }: RegressionGate['spec'], kind: Steered['kind']): string {
  if (kind === 'Deployment') return 'config/targets/deployments-pausing';
  return `config/targets/argo-rollouts-${onFailed === 'Abort' ? 'aborting' : 'pausing'}`;
}

async function ask(
  client: KubeClient,
  namespace: string,
  kind: Steered['kind'],
  right: Right,
): Promise<boolean> {
  const { apiVersion, plural } = TARGET_KINDS[kind];
  const resourceAttributes = { ...right, namespace, group: apiVersion.split('/')[0], resource: plural };
  const review = {
    ...{ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' },
    spec: { resourceAttributes },
  };
  const { status } = await client.request<{ readonly status?: { readonly allowed?: boolean } }>(
    'POST',
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    review,
  );
  return status?.allowed === true;
}
