/** All checks of a gate over one evaluation, and the one verdict they make. */
import {
  advance,
  type CpuEvaluation,
  isDecided,
  judgementOf,
  openCpuEvaluation,
  remarksOf,
} from './cpu-evaluation.ts';
import { dataFlags, immatureSentence } from './data-flags.ts';
import { ADVICE } from './doubt.ts';
import { FEWEST_PODS_FOR_A_VARIANCE } from './few-baseline-pods.ts';
import { withCost, withReport } from './gate-report.ts';
import type { Block } from './looks.ts';
import { sumOver } from './pod-facts.ts';
import type { PodWindow } from './pod-window.ts';
import { advanceRequests, openRequestEvaluation, type RequestEvaluation } from './request-evaluation.ts';
import { leftOutPods, requestChecks } from './request-report.ts';
import { COST, ERRORS, latencyCheckName, type RequestSettings } from './request-settings.ts';
import { routeEffects } from './route-effects.ts';
import { routeMixOf } from './route-mix.ts';
import type { StackIndex } from './stack-index.ts';
import type { CpuJudgement, CpuSettings, GateJudgement, RequestCheck } from './verdict.ts';
import { YoungCanary } from './young-canary.ts';

export interface GateSettings extends CpuSettings {
  /** Absent: only CPU is compared. */
  readonly requests?: RequestSettings;
}

export interface GateEvaluation {
  readonly settings: GateSettings;
  readonly startedAtMs: number;
  readonly cpu: CpuEvaluation;
  readonly requests: RequestEvaluation | undefined;
  /** Of all windows since a JVM of the canary was seen not to be as far as the baseline's; absent while none was. */
  young?: YoungCanary;
}

const CO_OCCURRING = 'co-occurring, which does not show it to be the cause';
const DEFAULT_MIN_PODS = 2;
const DEFAULT_MAX_LOSS_SHARE = 0.05;

/**
 * `history`: windows of the baseline's pods from before the evaluation, past their warm-up. `index`: of another evaluation over
 * the same stacks.
 */
export function openGateEvaluation(
  settings: GateSettings,
  startedAtMs: number,
  history: readonly PodWindow[] = [],
  index?: StackIndex,
): GateEvaluation {
  const { falseFailureRate, minDurationMs, deadlineMs } = settings;
  const limits = {
    ...{ falseFailureRate, minDurationMs, deadlineMs },
    minPods: settings.minPods ?? DEFAULT_MIN_PODS,
    maxLossShare: settings.maxLossShare ?? DEFAULT_MAX_LOSS_SHARE,
    podVarianceFactor: settings.podVarianceFactor ?? 1,
  };
  const cpu = openCpuEvaluation(settings, startedAtMs, index);
  if (settings.requests === undefined) return { settings, startedAtMs, cpu, requests: undefined };
  const requests = openRequestEvaluation(settings.requests, limits, startedAtMs, history);
  return { settings, startedAtMs, cpu, requests: { ...requests, facts: cpu.facts } };
}

export function advanceGate(evaluation: GateEvaluation, closed: Block): void {
  if (gateIsDecided(evaluation)) return;
  const { cpu, requests, settings } = evaluation;
  const block = cpu.facts.maturity.matured(closed);
  if (requests !== undefined) {
    advanceRequests(requests, block);
    cpu.mix = routeMixOf(requests.arms.mix);
  }
  advance(cpu, block);
  const isBehind = block.canary.length < closed.canary.length;
  const wasBehind = evaluation.young !== undefined && cpu.facts.maturity.isYoung;
  if (!isBehind && !wasBehind) return;
  evaluation.young ??= new YoungCanary(settings, cpu);
  evaluation.young.advance(closed, cpu.mix);
}

/** What speaks for functions: the canary's warm windows, unless new code was found before there were enough of them. */
const functionsOf = ({ cpu, young }: GateEvaluation): CpuEvaluation =>
  young?.hasFailed === true ? young.cpu : cpu;

/** Failed or Passed: no later block changes it any more. */
export function gateIsDecided(evaluation: GateEvaluation): boolean {
  const { requests, settings } = evaluation;
  const cpu = functionsOf(evaluation);
  const checks = requests === undefined ? [] : requestChecks(requests, false);
  if (cpu.decision?.verdict === 'Failed' || checks.some((check) => failsGate(check, settings))) return true;
  return isDecided(cpu) && checks.every((check) => stands(check, settings));
}

/** Whether a check is no obstacle to Passed: where requests cannot be seen, only if somebody insists on seeing them. */
function stands({ verdict, check }: RequestCheck, settings: GateSettings): boolean {
  const { requests } = settings;
  if (check === COST && !decides(settings)) return true;
  if (verdict !== 'NotObservable') return verdict === 'Passed';
  if (check === ERRORS) return requests?.errors?.required !== true;
  return requests?.latency.every((one) => !one.required || latencyCheckName(one) !== check) ?? true;
}

/** Whether a check still keeps the gate from Passed. */
export const standsInTheWay = (check: RequestCheck, settings: GateSettings): boolean =>
  !stands(check, settings);

/**
 * cpu, and each check of requests          → the gate
 * any Failed                               → Failed
 * all Passed, or not to be seen            → Passed
 * the deadline is over                     → Inconclusive
 * otherwise                                → Collecting
 */
export function gateJudgement(evaluation: GateEvaluation, nowMs: number, hasWindows: boolean): GateJudgement {
  const { settings, startedAtMs, requests } = evaluation;
  const ofFunctions = withImmaturity(evaluation, judgementOf(functionsOf(evaluation), nowMs, hasWindows));
  if (requests === undefined) return withReport(ofFunctions, evaluation);
  const cpu = { ...ofFunctions, ...flagged(evaluation, ofFunctions) };
  const endMs = startedAtMs + settings.deadlineMs;
  const failed =
    cpu.verdict === 'Failed' || requestChecks(requests, false).some((check) => failsGate(check, settings));
  const routes = routeEffects(requests);
  const checks = requestChecks(requests, failed || nowMs >= endMs, routes);
  const ofCpu = cpu.checks.map((check) =>
    failed && check.verdict === 'Collecting' ? { ...check, verdict: 'Inconclusive' as const } : check,
  );
  const culprits = withCost(cpu.culprits, checks);
  const served = { baseline: requests.arms.baseline.seen, canary: requests.arms.canary.seen };
  const all = { ...cpu, culprits, requests: served, routes, checks: [...ofCpu, ...checks] };
  const unseen = checks.filter(({ verdict }) => verdict === 'NotObservable').slice(0, 1);
  const notCompared = unseen.map(({ message }) => `requests were not compared: ${message}`);
  if (failed) {
    const worse = checks.filter((check) => failsGate(check, settings));
    const [first] = worse;
    const said = [...worse.map(({ message }) => message), ...functionsSaid(cpu, worse.length > 0)];
    return withReport(
      {
        ...all,
        verdict: 'Failed',
        reason: first?.reason ?? cpu.reason,
        message: said.join('; '),
        decidedAtMs: lastDecision(evaluation, cpu),
      },
      evaluation,
    );
  }
  const open = checks.filter((check) => !stands(check, settings));
  if (cpu.verdict === 'Passed' && open.length === 0) {
    const passed = checks.filter(({ verdict }) => verdict === 'Passed').map(({ message }) => message);
    const message = [cpu.message, ...passed, ...notCompared].join('; ');
    return withReport({ ...all, message, decidedAtMs: lastDecision(evaluation, cpu) }, evaluation);
  }
  const verdict = nowMs >= endMs ? 'Inconclusive' : 'Collecting';
  const said = cpu.verdict === 'Passed' ? [] : [cpu.message];
  const message = [...said, ...open.map((check) => check.message)].join('; ');
  const reason = cpu.verdict === 'Passed' ? (open[0]?.reason ?? cpu.reason) : cpu.reason;
  const { decidedAtMs: _, ...undecided } = all;
  return withReport(
    {
      ...undecided,
      verdict,
      reason,
      message,
      ...(verdict === 'Inconclusive' ? { decidedAtMs: endMs } : {}),
    },
    evaluation,
  );
}

/** CPU beside slower or failing requests may be their cause, their effect, or neither: nothing here tells. */
function functionsSaid(cpu: CpuJudgement, besideRequests: boolean): string[] {
  const grew = cpu.verdict === 'Failed' || cpu.culprits.some(({ kind }) => kind !== 'Moved');
  if (!besideRequests) return [cpu.message];
  return grew ? [`${CO_OCCURRING}: ${cpu.message}`] : [];
}

/** Where there was next to nothing to look at because the canary's JVMs are not as far as the baseline's: that is why. */
function withImmaturity({ cpu }: GateEvaluation, judgement: CpuJudgement): CpuJudgement {
  const { why, leftOutMs } = cpu.facts.maturity;
  const isOpen = judgement.verdict === 'Collecting' || judgement.verdict === 'Inconclusive';
  const lookedMs = sumOver(cpu.facts.canary, 'windowMs');
  if (!isOpen || why === undefined || leftOutMs <= lookedMs) return judgement;
  return { ...judgement, reason: 'WarmUp', message: `${immatureSentence(why)}${ADVICE.WarmUp}` };
}

/** With what requests say. */
function flagged(evaluation: GateEvaluation, ofFunctions: CpuJudgement) {
  const { requests, settings } = evaluation;
  const cpu = functionsOf(evaluation);
  const { facts, warmUpExcluded, mix } = cpu;
  const checks = requests?.checks ?? [];
  const ofRequests = checks.flatMap(({ evidence }) => evidence?.doubt ?? []);
  const doubts = cpu.decision?.findings.flatMap(({ doubt }) => doubt ?? []) ?? [];
  const { podVarianceFactor } = settings;
  const assumesPods = checks.some(
    ({ of, counts }) =>
      of.kind === 'latency' &&
      !counts.baseline.hasHistory &&
      counts.baseline.pods < FEWEST_PODS_FOR_A_VARIANCE,
  );
  const flagDetails = dataFlags({
    ...{ facts, warmUpExcluded, mix, assumesPods, podVarianceFactor },
    doubts: [...ofRequests, ...doubts],
    remarks: remarksOf(cpu),
  });
  return {
    flagDetails,
    flags: flagDetails.map(({ flag }) => flag),
    leaveOnePodOut: [
      ...(requests === undefined ? [] : leftOutPods(requests)),
      ...(ofFunctions.leaveOnePodOut ?? []),
    ],
  };
}

const decides = ({ requests }: GateSettings): boolean => requests?.cost?.decides === true;

const failsGate = ({ verdict, check }: RequestCheck, settings: GateSettings): boolean =>
  verdict === 'Failed' && (check !== COST || decides(settings));

/** Event time of the newest decision among the checks: the one that made the gate's. */
function lastDecision({ requests }: GateEvaluation, cpu: CpuJudgement): number {
  const times = requests?.checks.map((check) => check.decidedAtMs ?? 0) ?? [];
  const isSettled = cpu.verdict === 'Passed' || cpu.verdict === 'Failed';
  return Math.max(isSettled ? (cpu.decidedAtMs ?? 0) : 0, ...times);
}
