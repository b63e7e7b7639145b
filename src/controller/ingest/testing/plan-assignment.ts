/** What a node's agent is told by a controller that has not told anybody anything yet. */
import type { AgentSettings, Assignment } from '../../../wire/assignment.ts';
import type { ClusterView } from '../../cluster-view.ts';
import { nodeAssignments } from '../node-assignments.ts';

export const planAssignment = (
  view: ClusterView,
  node: string,
  storeId: string,
  settings?: AgentSettings,
): Assignment =>
  nodeAssignments({
    view,
    storeId: () => storeId,
    settings: () => settings,
    watched: () => new Set(),
  }).of(node);
