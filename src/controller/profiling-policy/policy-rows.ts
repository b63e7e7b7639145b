/** status.workloads of a policy of either kind: a cluster's has rows of many namespaces, each with its own. Pure. */
import type { ClusterWorkloadStatus } from '../../crds/cluster-profiling-policy.ts';
import type { WorkloadStatus } from '../../crds/workload-status.ts';
import { withFlagRows } from './flag-rows.ts';
import type { Observed } from './gather.ts';
import { isOfCluster } from './precedence.ts';
import { MAX_ROWS, workloadRows } from './workload-rows.ts';

export type PolicyRow = WorkloadStatus & Partial<Pick<ClusterWorkloadStatus, 'namespace'>>;

export interface PolicyRows {
  /** How the profiling of the pods goes. */
  readonly seen: readonly PolicyRow[];
  /** That, and what became of the flags. */
  readonly told: readonly PolicyRow[];
}

type RowsFrom = Pick<Observed, 'policy' | 'containers' | 'flags' | 'nowMs'>;

export function rowsOf({ policy, containers, flags, nowMs }: RowsFrom): PolicyRows {
  if (!isOfCluster(policy)) {
    const seen = workloadRows(containers, nowMs);
    return { seen, told: withFlagRows(seen, flags) };
  }
  const containersOf = Map.groupBy(containers, ({ namespace }) => namespace);
  const flagsOf = Map.groupBy(flags, ({ namespace }) => namespace);
  const namespaces = [...new Set([...containersOf.keys(), ...flagsOf.keys()])].sort();
  const rows = namespaces.map((namespace) => {
    const of = (all: readonly WorkloadStatus[]) => all.map((row) => ({ namespace, ...row }));
    const seen = workloadRows(containersOf.get(namespace) ?? [], nowMs);
    return { seen: of(seen), told: of(withFlagRows(seen, flagsOf.get(namespace) ?? [])) };
  });
  return {
    seen: troubledFirst(rows.flatMap(({ seen }) => seen)),
    told: troubledFirst(rows.flatMap(({ told }) => told)),
  };
}

/** As many as the kind's schema takes, in their order. */
function troubledFirst(rows: readonly ClusterWorkloadStatus[]): readonly ClusterWorkloadStatus[] {
  if (rows.length <= MAX_ROWS) return rows;
  const isTroubled = ({ reason }: ClusterWorkloadStatus) => reason !== 'Profiled';
  const others = rows.filter((row) => !isTroubled(row));
  const kept = new Set([...rows.filter(isTroubled), ...others].slice(0, MAX_ROWS));
  return rows.filter((row) => kept.has(row));
}
