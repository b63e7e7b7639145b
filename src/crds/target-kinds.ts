/** The kinds of workload a gate can be about, and where the API server has them. Pure. */

export const TARGET_KINDS = {
  Deployment: { apiVersion: 'apps/v1', plural: 'deployments' },
  StatefulSet: { apiVersion: 'apps/v1', plural: 'statefulsets' },
  Rollout: { apiVersion: 'argoproj.io/v1alpha1', plural: 'rollouts' },
  Canary: { apiVersion: 'flagger.app/v1beta1', plural: 'canaries' },
} as const;

export type TargetKind = keyof typeof TARGET_KINDS;

/** Those that a cluster may lack, or that an install may not let the controller read. */
export type OptionalTargetKind = Exclude<TargetKind, 'Deployment'>;

export const isOptionalTargetKind = (kind: string | undefined): kind is OptionalTargetKind =>
  kind !== undefined && kind !== 'Deployment' && Object.hasOwn(TARGET_KINDS, kind);

/** `rollouts.argoproj.io`, as roles and error messages name it. */
export function resourceName(kind: TargetKind): string {
  const { apiVersion, plural } = TARGET_KINDS[kind];
  return `${plural}.${apiVersion.split('/')[0]}`;
}
