/** Nodes that go while a gate is open: the agent at once, then the Node object, and the pods as the pod garbage collector finds them. */
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { eventually } from '../cluster/cluster.ts';
import { withOpenGate } from './open-gate.ts';

export interface NodeGone {
  readonly report: RegressionReport;
  readonly sameVerdict: boolean;
  /** Pods of the report that ran on nodes that went. */
  readonly membersThatWent: number;
  /** From when the nodes went until their pods were gone, and until the verdict. */
  readonly podsGoneS: number;
  readonly verdictS: number;
}

export interface NodeGoneOptions {
  readonly nodes: number;
  readonly deadline: string;
  /** Which nodes go, counted from the first. */
  readonly going: readonly number[];
}

const COLLECTED_S = 300; // it looks every 20 s, and waits for 40 whether the node comes back

export function measureNodeGone({ nodes, deadline, going }: NodeGoneOptions): Promise<NodeGone> {
  return withOpenGate({ nodes, deadline }, async ({ api, cluster, pushing, verdict, isAsUndisturbed }) => {
    await api.runControllers(['pod-garbage-collector-controller']);
    const gone = going.map((index) => cluster.nodes[index] ?? '');
    const beganMs = performance.now();
    const seconds = () => (performance.now() - beganMs) / 1_000;
    for (const node of gone) {
      await pushing.lose(node);
      await cluster.deleteNode(node);
    }
    await eventually('its pods are gone', COLLECTED_S, async () => {
      const left = await Promise.all(gone.map(cluster.podsOf));
      return left.flat().length === 0 || undefined;
    });
    const podsGoneS = seconds();
    const report = await verdict();
    const verdictS = seconds();
    const members = (report.status?.members ?? []).filter(({ node }) => gone.includes(node));
    const sameVerdict = await isAsUndisturbed(report);
    return { report, sameVerdict, membersThatWent: members.length, podsGoneS, verdictS };
  });
}
