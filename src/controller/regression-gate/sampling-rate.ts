/**
 * How often the pods of an open gate are sampled: always both arms alike, for what is sampled costs the pod CPU. Pure.
 *
 * nothing to go by yet                                        → as it is
 * an agent takes more than the budget, well above             → a step lower
 * a harmless canary passes in time at the rate there is       → as it is
 * it would at a higher one that the budget allows             → the lowest of those
 * none does, but the highest lets see a tenth more            → the highest
 * otherwise                                                   → as it is: pods or requests are what is lacking
 *
 * It is lowered only for the budget: a rate that has made a verdict possible would be needed again.
 */
import type { V1Pod } from '@kubernetes/client-node';
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import type { GateEvidence } from '../../crds/gate-evidence.ts';
import { parsePercentage } from '../../crds/quantities.ts';
import type { Forecast } from '../../detect/forecast.ts';
import type { AgentReports } from '../agent-reports.ts';
import { policyOf } from '../profiling-policy/precedence.ts';
import { DEFAULT_AGENT_CPU } from '../settings/policy-limits.ts';

/** Odd, so that no period of theirs is a round number: a service’s own might be. */
export const RAISED_HZ = [97, 199] as const;

export interface RateBounds {
  /** Of the policies. */
  readonly baseHz: number;
  readonly mostHz: number;
  /** Part of a core. */
  readonly agentCpu: number;
  /** Of each node with pods of the gate that has reported lately. */
  readonly nodes: readonly NodeLoad[];
}

export interface NodeLoad {
  readonly node: string;
  /** Part of a core that its agent takes, and how much of it for the samples of the gate's pods. */
  readonly agentCpu: number;
  readonly ofGate: number;
}

export type Rate = Pick<GateEvidence, 'frequencyHz' | 'rateReason' | 'rateMessage'>;

const WELL_ABOVE = 1.25; // one window of ten seconds tells: a JVM that starts, or a look at symbols, is in it
const WORTH_IT = 0.9; // of what is seen at the rate there is

export function chooseRate(
  bounds: RateBounds,
  currentHz: number | undefined,
  forecast: Forecast | undefined,
  deadlineMs: number,
): Rate {
  const { baseHz, mostHz, agentCpu } = bounds;
  const isRaised = currentHz !== undefined && currentHz > baseHz;
  const hz = isRaised ? Math.min(currentHz, Math.max(baseHz, mostHz)) : baseHz;
  const overloaded = bounds.nodes.find((load) => load.agentCpu > WELL_ABOVE * agentCpu);
  if (hz > baseHz && overloaded !== undefined) {
    const lower = RAISED_HZ.findLast((rate) => rate < hz && rate > baseHz) ?? baseHz;
    const why = `the agent of ${overloaded.node} takes ${percent(overloaded.agentCpu)} of a core, of ${percent(agentCpu)} that a policy allows`;
    return { frequencyHz: lower, rateReason: 'BudgetReached', rateMessage: `lowered from ${hz} Hz: ${why}` };
  }
  const raised = `raised from ${baseHz} Hz on both arms, by which samples were too few to be decided in time${forecast ? `; now ${speedOf(forecast)}` : ''}`;
  const asItIs = (rateReason: Rate['rateReason'], rateMessage: string): Rate =>
    hz > baseHz
      ? { frequencyHz: hz, rateReason: 'Raised', rateMessage: raised }
      : { frequencyHz: hz, rateReason, rateMessage };
  if (forecast === undefined) return asItIs('Collecting', 'too little was seen yet to tell');
  if ((forecast.passesAfterMs ?? Number.POSITIVE_INFINITY) <= deadlineMs) {
    return asItIs('Enough', `${speedOf(forecast)} are enough to pass a harmless canary in time`);
  }
  const higher = forecast.byRate.filter((rate) => rate.hz > hz);
  const useful = higher.find(({ passesAfterMs = Number.POSITIVE_INFINITY }) => passesAfterMs <= deadlineMs);
  const seenNow = forecast.detectableByDeadline ?? 0;
  const best = higher.findLast(({ detectableByDeadline = 1 }) => detectableByDeadline < WORTH_IT * seenNow);
  if (useful === undefined && best === undefined) {
    return asItIs('NoUse', `${speedOf(forecast)}: more of them would not help, pods or requests are lacking`);
  }
  const wanted = (useful ?? best)?.hz ?? hz;
  const affordable = higher.findLast((rate) => rate.hz <= wanted && isAffordable(rate.hz, hz, bounds));
  if (affordable === undefined) {
    const limit = mostHz < wanted ? `${mostHz} Hz` : `${percent(agentCpu)} of a core for an agent`;
    const message = `${speedOf(forecast)} are few, and ${wanted} Hz would help, but a policy allows no more than ${limit}`;
    return asItIs('BudgetReached', message);
  }
  const from = `raised from ${baseHz} Hz on both arms: ${speedOf(forecast)} are too few to be decided in time`;
  return { frequencyHz: affordable.hz, rateReason: 'Raised', rateMessage: from };
}

const speedOf = ({ samplesPerSecond, hz }: Forecast): string =>
  `${samplesPerSecond.toPrecision(2)} canary samples a second at ${hz} Hz`;

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;

const isAffordable = (hz: number, nowHz: number, { mostHz, agentCpu, nodes }: RateBounds): boolean =>
  hz <= mostHz && nodes.every((load) => load.agentCpu + load.ofGate * (hz / nowHz - 1) <= agentCpu);

const RECENT_MS = 60_000;

/** Of the policies that count for these pods, and of the agents beside them. */
export function rateBounds(
  pods: readonly V1Pod[],
  policies: readonly AnyProfilingPolicy[],
  reports: AgentReports,
  nowMs: number,
): RateBounds | undefined {
  const selecting = [...new Set(pods.flatMap(({ metadata }) => policyOf(metadata?.labels, policies) ?? []))];
  if (selecting.length === 0) return undefined;
  const allowed = selecting.map(({ spec }) => spec.budget?.agentCpu ?? DEFAULT_AGENT_CPU);
  return {
    baseHz: Math.max(...selecting.map(({ spec }) => spec.cpu.frequencyHz)),
    mostHz: Math.min(...selecting.map(({ spec }) => spec.cpu.maxFrequencyHz ?? RAISED_HZ[1])),
    agentCpu: Math.min(...allowed.map(parsePercentage)),
    nodes: loadsOf(pods, reports, nowMs),
  };
}

/** What an agent takes is for its samples, all of it: more than it is, so that what is foretold is rather too much. */
function loadsOf(pods: readonly V1Pod[], reports: AgentReports, nowMs: number): readonly NodeLoad[] {
  const podsOf = Map.groupBy(pods, ({ spec }) => spec?.nodeName ?? '');
  return reports.agents().flatMap(({ node, reportedAtMs, cpuPercentOfCore, samplesPerSecond }) => {
    const ofGate = podsOf.get(node);
    if (ofGate === undefined || nowMs - reportedAtMs > RECENT_MS) return [];
    const agentCpu = cpuPercentOfCore / 100;
    const part = Math.min(1, samplesOf(ofGate, reports) / Math.max(1, samplesPerSecond * WINDOW_S));
    return [{ node, agentCpu, ofGate: agentCpu * part }];
  });
}

const WINDOW_S = 10; // what an agent reports of itself and of a container is of one window

const samplesOf = (pods: readonly V1Pod[], reports: AgentReports): number =>
  pods.reduce((sum, { metadata, spec }) => {
    const states = (spec?.containers ?? []).map(({ name }) => reports.container(metadata?.uid ?? '', name));
    return states.reduce((all, state) => all + (state?.window.samples ?? 0), sum);
  }, 0);
