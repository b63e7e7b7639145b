/** How large the simulated cluster is, and what it is called. */

export interface Size {
  readonly nodes: number;
  readonly podsPerNode: number;
  readonly gates: number;
  /** Gates that have canaries: their evaluations are open. */
  readonly open: number;
}

/** Of the pods of a service whose gate is open. */
const CANARY_PART = 0.1;

export const nodeName = (node: number): string => `node-${String(node).padStart(4, '0')}`;
export const namespaceOf = (service: number): string => `team-${String(service).padStart(3, '0')}`;

export interface WatchedPod {
  readonly service: number;
  readonly node: number;
  readonly name: string;
  readonly arm: 'stable' | 'canary';
}

/** Each service has a gate, and as many pods as every other; those of one node belong to different services. */
export function watchedPods({ nodes, podsPerNode, gates, open }: Size): WatchedPod[] {
  const perService = (nodes * podsPerNode) / gates;
  const canaries = Math.max(3, Math.round(perService * CANARY_PART));
  return Array.from({ length: nodes * podsPerNode }, (_, at) => {
    const service = at % gates;
    const ofService = Math.floor(at / gates);
    const arm = service < open && ofService < canaries ? 'canary' : 'stable';
    const node = Math.floor(at / podsPerNode);
    return { service, node, name: `${arm}-${String(ofService).padStart(4, '0')}`, arm };
  });
}
