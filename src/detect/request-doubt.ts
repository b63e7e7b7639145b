/** Whether growth of a check of requests rests on one pod, one node, or windows that something is the matter with. */
import type { Doubt } from './doubt.ts';
import type { EffectEvidence } from './effect-evidence.ts';
import { groupUnits, type LeftOut, leaveOneOut, type Unit } from './leave-one-out.ts';
import { doubtOfPods, type OnePodInput } from './one-pod-doubt.ts';
import type { PodCounts } from './pod-counts.ts';
import { type ArmFacts, type GateFacts, nameOfPod } from './pod-facts.ts';
import { doubtOfAge, doubtOfWindows, type TrustedNoise, type TrustedRequests } from './trusted-requests.ts';

export interface RequestDoubtInput extends OnePodInput {
  readonly noise: TrustedNoise;
  readonly evidence: EffectEvidence;
  readonly counts: { readonly canary: PodCounts; readonly baseline: PodCounts };
  /** Part of the canary's requests that would be counted if it were the baseline. */
  readonly expectedPart: number;
  readonly facts: GateFacts;
  readonly trusted: TrustedRequests;
  /** The canary's windows with those of baseline pods of its age. */
  readonly besideTwins: TrustedRequests;
}

/** Without each pod of the canary, by its name. */
export function withoutEachPod({
  evidence,
  counts,
  expectedPart,
  facts,
}: Pick<RequestDoubtInput, 'evidence' | 'counts' | 'expectedPart' | 'facts'>): readonly LeftOut[] {
  const rows = leaveOneOut(growthOf(evidence), unitsOf(counts.canary, expectedPart));
  return rows.map((row) => ({ ...row, name: nameOfPod(facts.canary.get(row.name), row.name) }));
}

const growthOf = ({ effect, half, margin, onset }: EffectEvidence) => ({
  ...{ effect, half, margin },
  ...(onset && { effect: onset.effect, half: onset.half }),
});

const unitsOf = (counts: PodCounts, expectedPart: number): Unit[] =>
  [...counts.byPod()]
    .filter(([, { requests }]) => requests > 0)
    .map(([name, { requests, counted }]) => ({
      name,
      size: requests,
      excess: counted - requests * expectedPart,
    }));

export function doubtOfRequests(input: RequestDoubtInput): Doubt | undefined {
  const { evidence, trusted, besideTwins, shape, noise } = input;
  return (
    doubtOfNodes(input) ??
    doubtOfPods(input) ??
    doubtOfWindows(evidence, trusted, shape, noise) ??
    doubtOfAge(evidence, besideTwins, shape, noise)
  );
}

const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;

const SLOW_PART = 0.5; // of the canary's excess on the node: then the node explains it

/**
 * A node on which the baseline's pods are as slow as the canary's explains them. So does one without any baseline pod, where only its
 * canary pods are worse: a node cannot be told from a version there.
 */
function doubtOfNodes({ evidence, counts, expectedPart, facts }: RequestDoubtInput): Doubt | undefined {
  const nodeOf = (arm: ArmFacts) => (pod: string) => arm.get(pod)?.host?.node;
  const canary = groupUnits(unitsOf(counts.canary, expectedPart), nodeOf(facts.canary));
  const ofBaseline = groupUnits(unitsOf(counts.baseline, partIn(counts.baseline)), nodeOf(facts.baseline));
  const baseline = new Map(ofBaseline.map((unit) => [unit.name, unit]));
  if (canary.length === 0 || baseline.size === 0) return undefined;
  const node = canary.reduce((most, each) => (each.excess > most.excess ? each : most));
  const row = leaveOneOut(growthOf(evidence), canary).find(({ name }) => name === node.name);
  if (row === undefined || row.stands) return undefined;
  const pods = [...facts.canary.values()].filter(({ host }) => host?.node === node.name).length;
  const said = `${pods} of ${facts.canary.size} canary pods are on node ${node.name}`;
  const beside = baseline.get(node.name);
  if (beside !== undefined) {
    const ratio = beside.excess / beside.size / (node.excess / node.size);
    if (ratio < SLOW_PART) return undefined;
    const message = `${said}, whose baseline pods have ${percent(ratio)} of the same excess`;
    return { kind: 'NoisyNode', message };
  }
  // One pod is said to be one pod: whoever replaces it gets another node, too.
  if (pods === 1 && facts.canary.size > 1) return undefined;
  return {
    kind: 'NoisyNode',
    message: `${said}, where no baseline pod is: a node cannot be told from a version`,
  };
}

function partIn(counts: PodCounts): number {
  const pods = counts.totals();
  const requests = pods.reduce((sum, pod) => sum + pod.requests, 0);
  return requests > 0 ? pods.reduce((sum, pod) => sum + pod.counted, 0) / requests : 0;
}
