/**
 * What became of the JVM flags, in status.workloads: where a human must act, that is the row's reason, even while the
 * pods are profiled; and a Deployment without pods has a row of its own. Pure.
 */
import type { WorkloadStatus } from '../../crds/workload-status.ts';
import type { ContainerPlan } from './plan-injection.ts';
import type { WorkloadFlags } from './settle-flags.ts';
import { MAX_ROWS } from './workload-rows.ts';

export function withFlagRows(
  rows: readonly WorkloadStatus[],
  flags: readonly WorkloadFlags[],
): readonly WorkloadStatus[] {
  const told = rows.map((row) => {
    const workload =
      row.kind === 'Deployment' ? flags.find(({ deployment }) => deployment === row.name) : undefined;
    const plan = workload?.containers.find(({ container }) => container === row.container);
    return workload === undefined ? row : { ...row, ...troubleOf(workload, plan) };
  });
  const unseen = flags.filter(
    ({ deployment }) => !rows.some(({ kind, name }) => kind === 'Deployment' && name === deployment),
  );
  return [...told, ...unseen.flatMap(rowsWithoutPods)].slice(0, MAX_ROWS);
}

type Trouble = Pick<WorkloadStatus, 'reason' | 'message'>;

function troubleOf(workload: WorkloadFlags, plan: ContainerPlan | undefined): Trouble | undefined {
  if (workload.conflicted) {
    return {
      reason: 'Conflicted',
      message: 'the flags were taken out twice within 10 minutes; not tried again',
    };
  }
  if (workload.refused !== undefined) {
    return { reason: 'Failed', message: workload.refused.slice(0, 1024) };
  }
  return plan?.advice === undefined ? undefined : { reason: plan.outcome, message: plan.advice };
}

const rowsWithoutPods = (workload: WorkloadFlags): readonly WorkloadStatus[] =>
  workload.containers.map((plan) => ({
    kind: 'Deployment',
    name: workload.deployment,
    container: plan.container,
    pods: 0,
    profiled: 0,
    symbols: 'None',
    reason: 'NoPods',
    message: 'the Deployment matches, and has no pods',
    ...troubleOf(workload, plan),
  }));
