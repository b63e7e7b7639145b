/** Reads everything a decision may look at: the caches, the store, and what the windows say. */
import type { V1Pod } from '@kubernetes/client-node';
import { QuantityError } from '../../crds/quantities.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { GateSettings } from '../../detect/gate-evaluation.ts';
import type { GateJudgement } from '../../detect/verdict.ts';
import type { Arm, PodRef, WindowStore } from '../../store/window-store.ts';
import type { ClusterView } from '../cluster-view.ts';
import { policiesFor, policyWants } from '../ingest/assignment.ts';
import { type ArmPods, type Arms, findArms } from './arms.ts';
import { type Evaluations, evaluationsOf, isOpen, startedAtMs } from './evaluation.ts';
import { gateSettings } from './gate-settings.ts';
import type { ArmRefs, JudgedEvaluation } from './running-evaluations.ts';

export interface Observed {
  readonly gate: RegressionGate;
  readonly arms: Arms;
  readonly evaluations: Evaluations;
  /** A sentence instead of numbers: which field cannot be read. */
  readonly settings: GateSettings | string;
  /** Live pods of each arm that a ProfilingPolicy selects. */
  readonly profiled: { readonly baseline: number; readonly canary: number };
  /** What the windows say of the current evaluation while it is open. */
  readonly judgement: GateJudgement | undefined;
  /** End of the baseline's last window; the evaluation's start when there is none. */
  readonly baselineSeenMs: number | undefined;
}

export interface GatherSources {
  readonly view: ClusterView;
  readonly store: WindowStore;
  readonly nowMs: number;
  readonly judge: (evaluation: JudgedEvaluation) => Promise<GateJudgement>;
}

export async function gather(gate: RegressionGate, sources: GatherSources): Promise<Observed> {
  const { view, store, nowMs } = sources;
  const arms = findArms(gate, view);
  const evaluations = evaluationsOf(gate, view.reports(gate.metadata.namespace), arms);
  const settings = settingsOrProblem(gate);
  const live = profiledContainers(arms, view);
  const profiled = { baseline: podsIn(live.baseline), canary: podsIn(live.canary) };
  const { current } = evaluations;
  const unjudged = { gate, arms, evaluations, settings, profiled };
  if (!isOpen(current) || typeof settings === 'string') {
    return { ...unjudged, judgement: undefined, baselineSeenMs: undefined };
  }
  const began = startedAtMs(current);
  const { uid } = current.metadata;
  const pods = {
    baseline: everSeen(store, uid, 'baseline', live.baseline),
    canary: everSeen(store, uid, 'canary', live.canary),
  };
  const judgement = await sources.judge({ uid, pods, settings, startedAtMs: began, nowMs });
  const ofBaseline = store.extents({ pods: pods.baseline, fromMs: began, toMs: nowMs });
  const baselineSeenMs = ofBaseline.reduce((last, { lastEndMs }) => Math.max(last, lastEndMs), began);
  return { ...unjudged, judgement, baselineSeenMs };
}

function settingsOrProblem(gate: RegressionGate): GateSettings | string {
  try {
    return gateSettings(gate.spec);
  } catch (error) {
    if (error instanceof QuantityError) return error.message;
    throw error;
  }
}

function profiledContainers(arms: Arms, view: ClusterView): ArmRefs {
  const refs = (arm: ArmPods | undefined) => (arm?.pods ?? []).flatMap((pod) => profiledOfPod(pod, view));
  return {
    baseline: refs(arms.kind === 'Pair' ? arms.baseline : undefined),
    canary: refs(arms.kind === 'Pair' || arms.kind === 'BaselineGone' ? arms.canary : undefined),
  };
}

function profiledOfPod(pod: V1Pod, view: ClusterView): readonly Required<PodRef>[] {
  const { uid = '', namespace = '' } = pod.metadata ?? {};
  const policies = policiesFor(pod, view.policies(namespace));
  return (pod.spec?.containers ?? [])
    .filter(({ name }) => policies.some((policy) => policyWants(policy, name)))
    .map(({ name }) => ({ podUid: uid, container: name }));
}

const podsIn = (refs: readonly PodRef[]): number => new Set(refs.map(({ podUid }) => podUid)).size;

/** The arm's containers of now and of every earlier look: pods that have gone since still count. */
function everSeen(
  store: WindowStore,
  evaluation: string,
  arm: Arm,
  live: readonly Required<PodRef>[],
): readonly Required<PodRef>[] {
  const known = store.rememberedPods(evaluation, arm);
  const keys = new Set(known.map(({ podUid, container }) => `${podUid}/${container}`));
  const added = live.filter(({ podUid, container }) => !keys.has(`${podUid}/${container}`));
  if (added.length > 0) store.rememberPods(evaluation, arm, added);
  return [...known, ...added];
}
