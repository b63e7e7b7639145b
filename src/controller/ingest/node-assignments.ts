/** What each node's agent is to do now. With every change of the cluster all agents look again: only of nodes it touches is a plan made anew. */
import type { AgentSettings, Assignment } from '../../wire/assignment.ts';
import type { ClusterView } from '../cluster-view.ts';
import { workloadOf } from '../pod-owner.ts';
import { type AssignmentIndex, assignmentOf, indexAssignments, policyOfPod } from './assignment.ts';

export interface NodeAssignments {
  of(node: string): Assignment;
  /** The cluster may have changed: it is sorted anew, in steps. Until they are done, assignments are of how it was. */
  renewed(): Iterable<unknown>;
}

export interface NodeAssignmentsOptions {
  readonly view: ClusterView;
  readonly storeId: () => string;
  readonly settings: () => AgentSettings | undefined;
  /** Uids of the pods that somebody looks at now. */
  readonly watched: () => ReadonlySet<string>;
}

interface Planned {
  /** All that the assignment is made of: caches replace an object when it changes, so the same object says the same. */
  readonly from: readonly unknown[];
  readonly assignment: Assignment;
}

/** Nodes of the largest clusters, twice. */
const MAX_PLANNED = 10_000;

export function nodeAssignments({
  view,
  storeId,
  settings,
  watched,
}: NodeAssignmentsOptions): NodeAssignments {
  const planned = new Map<string, Planned>();
  let index: AssignmentIndex | undefined;
  return {
    *renewed() {
      index = yield* indexAssignments(view, watched());
    },
    of(node) {
      index ??= atOnce(indexAssignments(view, watched()));
      const told = { storeId: storeId(), settings: settings() };
      const from = [told.storeId, told.settings, ...madeOf(node, index)];
      const before = planned.get(node);
      if (before !== undefined && isSame(before.from, from)) return before.assignment;
      const assignment = assignmentOf(index, node, told.storeId, told.settings);
      planned.delete(node);
      planned.set(node, { from, assignment });
      const oldest = planned.keys().next().value;
      if (planned.size > MAX_PLANNED && oldest !== undefined) planned.delete(oldest);
      return assignment;
    },
  };
}

function madeOf(node: string, index: AssignmentIndex): unknown[] {
  return (index.podsOfNode.get(node) ?? []).flatMap((pod) => {
    const uid = pod.metadata?.uid ?? '';
    const workload = workloadOf(pod, index.owners);
    const { gatedPodUids, judgedPodUids, watchedPodUids, raisedHz } = index;
    const looked = [gatedPodUids, judgedPodUids, watchedPodUids].map((uids) => uids.has(uid));
    return [pod, policyOfPod(pod, index), ...looked, raisedHz.get(uid), workload?.kind, workload?.name];
  });
}

function atOnce<Done>(steps: Generator<unknown, Done>): Done {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

const isSame = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, at) => value === b[at]);
