/** Reads everything a decision may look at: the caches, the store, and what the windows say. */
import type { V1Pod } from '@kubernetes/client-node';
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import { gateSettings } from '../../crds/gate-settings.ts';
import { QuantityError } from '../../crds/quantities.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { Member, RegressionReport } from '../../crds/regression-report.ts';
import type { Forecast } from '../../detect/forecast.ts';
import type { GateSettings } from '../../detect/gate-evaluation.ts';
import type { GateJudgement } from '../../detect/verdict.ts';
import type { Arm, PodRef, WindowStore } from '../../store/window-store.ts';
import type { AgentReports } from '../agent-reports.ts';
import type { ClusterView } from '../cluster-view.ts';
import { policiesIn, policyOf, policyWants } from '../profiling-policy/precedence.ts';
import type { ToldNodes } from '../told-nodes.ts';
import { type ArmPods, podIsLive } from './arm-pods.ts';
import { type Arms, findArms, podsUnderGate, standingArm } from './arms.ts';
import {
  type CertificationAim,
  type Certifying,
  certificationAim,
  certifiedFactor,
  isAsked,
} from './certification.ts';
import { type Evaluations, evaluationsOf, isJudged, isOpen, startedAtMs } from './evaluation.ts';
import { eventTimeMs } from './event-time.ts';
import { type ArmRefs, membersOf, refsIn, unionOf } from './members.ts';
import type { JudgedEvaluation } from './running-evaluations.ts';
import { type RateBounds, rateBounds } from './sampling-rate.ts';

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
  /** When that will be decided; absent before there is anything to go by. */
  readonly forecast?: Forecast;
  /** Between which bounds the pods of an open evaluation may be sampled; absent where nobody profiles them. */
  readonly rateBounds?: RateBounds;
  /** End of the baseline's last window; the evaluation's start when there is none. */
  readonly baselineSeenMs: number | undefined;
  /** Event time up to which the current evaluation has been judged; absent where it is not. */
  readonly judgedAtMs?: number;
  /** The pods of the evaluation that is open or may begin, of now and of before. */
  readonly members?: readonly Member[];
  /** Absent: nothing to be said beyond the gate's status. */
  readonly certifying?: Certifying;
}

export interface GatherSources {
  readonly view: ClusterView;
  readonly store: WindowStore;
  readonly nowMs: number;
  readonly agents: AgentReports;
  readonly told: Pick<ToldNodes, 'toldToMs'>;
  readonly judge: (evaluation: JudgedEvaluation) => Promise<GateJudgement>;
  /** Of what was judged last. */
  readonly expect: () => Forecast | undefined;
  readonly certify: (aim: CertificationAim) => Certifying;
}

export async function gather(gate: RegressionGate, sources: GatherSources): Promise<Observed> {
  const { view, store, nowMs } = sources;
  const arms = findArms(gate, view);
  const evaluations = evaluationsOf(gate, view.reports(gate.metadata.namespace), arms);
  const settings = settingsOrProblem(gate);
  const policies = policiesIn(view, gate.metadata.namespace);
  const live = profiledContainers(arms, policies);
  const profiled = { baseline: podsIn(live.baseline), canary: podsIn(live.canary) };
  const { current } = evaluations;
  const certifying = certifyingOf(gate, { arms, evaluations, settings }, sources);
  const unjudged = { gate, arms, evaluations, settings, profiled, ...(certifying && { certifying }) };
  const inNamespace = view.pods(gate.metadata.namespace);
  if (!isOpen(current) || typeof settings === 'string') {
    const begins = current === undefined ? { members: membersOf({ refs: live, pods: inNamespace }) } : {};
    return { ...unjudged, judgement: undefined, baselineSeenMs: undefined, ...begins };
  }
  const began = startedAtMs(current);
  const { uid } = current.metadata;
  const pods = {
    baseline: everSeen(store, current, 'baseline', live.baseline),
    canary: everSeen(store, current, 'canary', live.canary),
  };
  const members = membersOf({ refs: pods, pods: inNamespace, before: current.status?.members });
  const ofBaseline = store.extents({ pods: pods.baseline, fromMs: began, toMs: nowMs });
  const baselineSeenMs = ofBaseline.reduce((last, { lastEndMs }) => Math.max(last, lastEndMs), began);
  const toldToMs = sources.told.toldToMs(new Set(members.map(({ node }) => node)));
  const toldMs = eventTimeMs({ nowMs, toldToMs, deadlineAtMs: began + settings.deadlineMs });
  const judgedAtMs =
    arms.kind === 'BaselineGone' ? Math.min(toldMs, baselineSeenMs + LAST_WINDOWS_MS) : toldMs;
  const judgement = await sources.judge({ uid, pods, settings, startedAtMs: began, nowMs: judgedAtMs });
  const forecast = sources.expect();
  const bounds = rateBounds(podsUnderGate(gate, view).filter(podIsLive), policies, sources.agents, nowMs);
  return {
    ...{ ...unjudged, judgement, baselineSeenMs, judgedAtMs, members },
    ...(forecast && { forecast }),
    ...(bounds && { rateBounds: bounds }),
  };
}

function settingsOrProblem(gate: RegressionGate): GateSettings | string {
  try {
    return { ...gateSettings(gate.spec), podVarianceFactor: certifiedFactor(gate) };
  } catch (error) {
    if (error instanceof QuantityError) return error.message;
    throw error;
  }
}

/**
 * Placebos are for the time between rollouts: while an evaluation is open its settings must not change, and the machine has
 * better to do. Nobody is told of a certification that cannot be made yet but who has asked for it.
 */
function certifyingOf(
  gate: RegressionGate,
  { arms, evaluations, settings }: Pick<Observed, 'arms' | 'evaluations' | 'settings'>,
  { view, nowMs, certify }: GatherSources,
): Certifying | undefined {
  const asked = isAsked(gate);
  if (isJudged(evaluations.current, arms)) {
    const message = 'an evaluation is open or about to begin; the gate certifies itself when it is over';
    return asked ? { kind: 'Waiting', reason: 'Evaluating', message } : undefined;
  }
  const arm = standingArm(arms);
  if (arm === undefined || typeof settings === 'string') return undefined;
  const policies = policiesIn(view, gate.metadata.namespace);
  const pods = arm.pods.flatMap((pod) => profiledOfPod(pod, policies));
  const own = { ...settings, podVarianceFactor: 1 };
  const aim = certificationAim(gate, { hash: arm.hash, pods }, own, nowMs);
  if (aim === undefined) return undefined;
  const state = certify(aim);
  const isNews = state.kind === 'Running' && gate.status?.certification === undefined;
  return state.kind === 'Done' || isNews || asked ? state : undefined;
}

function profiledContainers(arms: Arms, policies: readonly AnyProfilingPolicy[]): ArmRefs {
  const refs = (arm: ArmPods | undefined) => (arm?.pods ?? []).flatMap((pod) => profiledOfPod(pod, policies));
  return {
    baseline: refs(arms.kind === 'Pair' ? arms.baseline : undefined),
    canary: refs(arms.kind === 'Pair' || arms.kind === 'BaselineGone' ? arms.canary : undefined),
  };
}

/** `policies`: in force in its namespace, which is the gate's. */
function profiledOfPod(pod: V1Pod, policies: readonly AnyProfilingPolicy[]): readonly Required<PodRef>[] {
  const { uid = '', labels } = pod.metadata ?? {};
  const policy = policyOf(labels, policies);
  return (pod.spec?.containers ?? [])
    .filter(({ name }) => policy !== undefined && policyWants(policy, name))
    .map(({ name }) => ({ podUid: uid, container: name }));
}

const podsIn = (refs: readonly PodRef[]): number => new Set(refs.map(({ podUid }) => podUid)).size;

/** The arm's containers of now and of every earlier look, whoever looked: pods that have gone since still count. */
function everSeen(
  store: WindowStore,
  report: RegressionReport,
  arm: Arm,
  live: readonly Required<PodRef>[],
): readonly Required<PodRef>[] {
  const { uid } = report.metadata;
  const known = store.rememberedPods(uid, arm);
  const all = unionOf(known, refsIn(report, arm), live);
  if (all.length > known.length) store.rememberPods(uid, arm, all.slice(known.length));
  return all;
}

/** After the baseline's end its last window may still be on its way: its length, a push, and a retry. */
export const LAST_WINDOWS_MS = 40_000;
