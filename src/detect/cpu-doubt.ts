/**
 * Whether something else than the version explains that a function takes a larger share of CPU: one pod, another mix of routes or
 * load, another CPU, other profiling flags, a JVM that still compiles. Each can change shares by so much and no more; a
 * growth beyond that stands, and so does one that pods that nothing is the matter with show too.
 */
import { commonestStack } from './attribution.ts';
import type { Doubt, DoubtKind } from './doubt.ts';
import { frameIsFunction, frameIsMachinery } from './frames.ts';
import { type LeftOut, leaveOneOut, restsOn } from './leave-one-out.ts';
import type { LookEvidence } from './look-evidence.ts';
import { COMPILING_PART, TIMES_THE_OTHERS } from './maturity.ts';
import { halfWidthOf, type LookContext, type NodeEvidence, weighNode } from './node-evidence.ts';
import {
  type ArmFacts,
  agedAlike,
  type GateFacts,
  loadRatio,
  nameOfPod,
  type PodFacts,
  partOf,
  sumOver,
} from './pod-facts.ts';
import type { RouteMix } from './route-mix.ts';
import { functionOf, type StackIndex, totalNode } from './stack-index.ts';
import type { ArmTally } from './tally.ts';

export interface CpuDoubtRound {
  readonly look: LookEvidence;
  readonly index: StackIndex;
  readonly facts: GateFacts;
  /** Where requests are seen. */
  readonly mix: RouteMix | undefined;
}

export function doubtOfGrowth(growth: NodeEvidence, round: CpuDoubtRound): Doubt | undefined {
  return (
    doubtOfPods(growth, round) ??
    doubtOfShares(growth, round) ??
    doubtOfBackground(growth, round) ??
    doubtOfTwins(growth, round) ??
    doubtOfFlags(growth, round)
  );
}

/** Without each pod of the canary, by its name. */
export function growthWithoutEachPod(
  growth: NodeEvidence,
  { look, facts }: Pick<CpuDoubtRound, 'look' | 'facts'>,
): readonly LeftOut[] {
  const units = [...look.context.canary.pods].map(([pod, { counts, samples }]) => ({
    name: nameOfPod(facts.canary.get(pod), pod),
    size: samples,
    excess: (counts[growth.node] ?? 0) - samples * growth.baselineShare,
    halfWithout: halfWithout(pod, growth, look.context),
  }));
  return leaveOneOut({ effect: growth.delta, half: growth.half, margin: look.margin }, units);
}

/** Of code that was not there, what is left is surer than the whole: its noise goes with its share. */
function halfWithout(
  pod: string,
  { node, baselineShare }: NodeEvidence,
  context: LookContext,
): number | undefined {
  const { canary, dispersion } = context;
  const pods = new Map([...canary.pods].filter(([name]) => name !== pod));
  const without = canary.pods.get(pod);
  const samples = canary.samples - (without?.samples ?? 0);
  const spread = dispersion.spreads[node];
  if (samples <= 0 || spread === undefined) return undefined;
  const count = (canary.counts[node] ?? 0) - (without?.counts[node] ?? 0);
  const rest = { ...context, canary: { ...canary, pods, samples } };
  return halfWidthOf({ canaryShare: count / samples, baselineShare, spread }, rest);
}

const percent = (part: number): string => `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`;

function doubtOfPods(growth: NodeEvidence, round: CpuDoubtRound): Doubt | undefined {
  const rows = growthWithoutEachPod(growth, round);
  const worst = restsOn(rows);
  if (worst === undefined) return undefined;
  const message = `${worst.name} alone, one of ${rows.length} canary pods, has ${percent(worst.partOfExcess)} of the excess, and without it ${worst.stands ? 'less' : 'too little'} is left`;
  return { kind: 'OnePod', message };
}

/** By how much something may multiply the odds of a function's share. */
interface Disturbance extends Doubt {
  readonly ratio: number;
}

/** All that is the matter with shares as such, the largest first. */
function doubtOfShares(growth: NodeEvidence, round: CpuDoubtRound): Doubt | undefined {
  const fresh = doubtOfFreshRoutes(growth, round.mix);
  if (fresh !== undefined) return fresh;
  const all = disturbancesOf(round.facts, round.mix).sort((a, b) => b.ratio - a.ratio);
  const [largest] = all;
  if (largest === undefined) return undefined;
  const ratio = ratioOf(all);
  const { baselineShare, canaryShare, half } = growth;
  const explained = (ratio * baselineShare) / (1 - baselineShare + ratio * baselineShare);
  if (canaryShare - explained - half > 0) return undefined;
  const { kind, message } = largest;
  return { kind, message };
}

const ratioOf = (all: readonly Disturbance[]): number =>
  all.reduce((product, each) => product * each.ratio, 1);

const LEAST_MOVED = 0.05; // of requests
const CPU_OF_FRESH_ROUTES = 3; // times their part of requests

function doubtOfFreshRoutes(
  { canaryShare, baselineShare }: NodeEvidence,
  mix: RouteMix | undefined,
): Doubt | undefined {
  if (mix === undefined || mix.fresh === 0 || baselineShare > 0.1 * canaryShare) return undefined;
  if (canaryShare > CPU_OF_FRESH_ROUTES * mix.fresh) return undefined;
  return {
    kind: 'RouteMixShifted',
    message: `${percent(mix.fresh)} of the canary's requests went to routes that the baseline hardly serves`,
  };
}

// What another CPU, or a neighbour in its caches, does to the share of one function beside others. Assumed: no two machines were compared.
const OTHER_CPU_RATIO = 1.3;
const OWN_NODE_RATIO = 1.15;
export const COMPILING_RATIO = 2; // interpreted code costs many times as much, but little of it is left after minutes
export const JUST_COMPILED_RATIO = 1.3; // what is left of it when compilers have all but done
const LARGEST_LOAD_RATIO = 1.3;
const MOST_BY_LOAD = 1.5;

function disturbancesOf(facts: GateFacts, mix: RouteMix | undefined): Disturbance[] {
  const found: Disturbance[] = [];
  const add = (kind: DoubtKind, ratio: number, message: string) => found.push({ kind, ratio, message });
  const { baseline, canary } = facts;
  if (mix !== undefined && mix.moved >= LEAST_MOVED)
    add('RouteMixShifted', mix.most / mix.least, mixSentence(mix));
  const load = loadRatio(facts);
  if (load > LARGEST_LOAD_RATIO) add('UnequalLoad', Math.min(load, MOST_BY_LOAD), loadSentence(load));
  if (alike(facts, cpuOf).kind === 'None')
    add('SlowerCpu', OTHER_CPU_RATIO, 'no two baseline pods run on a CPU of the canary');
  const own = ownNode(facts);
  if (own !== undefined)
    add('NoisyNode', OWN_NODE_RATIO, `all canary pods are on node ${own}, where no baseline pod is`);
  if (armStillCompiles(facts)) {
    const [of, beside] = [canary, baseline].map((arm) => percent(partOf(arm, 'compilerSamples', 'samples')));
    add(
      'WarmUp',
      COMPILING_RATIO,
      `compilers took ${of} of the canary's samples and ${beside} of the baseline's`,
    );
  } else if (facts.maturity.leftOutMs > 0)
    add('WarmUp', JUST_COMPILED_RATIO, "the canary's JVMs had only just come as far as the baseline's");
  return found;
}

export const mixSentence = ({ moved, route, canaryPart, baselinePart }: RouteMix): string =>
  `${percent(moved)} of the canary's requests went to other routes than the baseline's (${route}: ${percent(baselinePart)} → ${percent(canaryPart)})`;

export const loadSentence = (ratio: number): string =>
  `a canary pod has ${ratio.toFixed(2)} times the load of a baseline pod`;

export function armStillCompiles({ baseline, canary }: GateFacts): boolean {
  const [of = 0, beside = 0] = [canary, baseline].map((arm) => partOf(arm, 'compilerSamples', 'samples'));
  return of > Math.max(COMPILING_PART, TIMES_THE_OTHERS * beside);
}

/** The canary's only node, where baseline pods are known to be on others only. */
export function ownNode({ baseline, canary }: GateFacts): string | undefined {
  const nodesOf = (arm: ArmFacts) => new Set([...arm.values()].map(({ host }) => host?.node));
  const [ofCanary, ofBaseline] = [nodesOf(canary), nodesOf(baseline)];
  const [node] = ofCanary;
  if (node === undefined || ofCanary.size > 1 || ofBaseline.has(undefined) || ofBaseline.has(node))
    return undefined;
  return node;
}

const BACKGROUND_PART = 0.5;
const PODS_DIFFER = 1.1; // two pods' timers do not burn quite the same
const LARGEST_ENTRY = 0.5; // of CPU; a thread's run method is no entry of one kind of work

/**
 * Work that no request causes (timers, polling) is a larger share of a pod with less to do. It has an entry of its own: then the
 * outermost function of its stack takes about as much CPU in a canary pod as in a baseline pod, though that has more to do.
 */
function doubtOfBackground(
  growth: NodeEvidence,
  { look, index, facts, mix }: CpuDoubtRound,
): Doubt | undefined {
  const load = loadRatio(facts);
  const burnt = cpuRatio(facts);
  if (load >= 1 / LARGEST_LOAD_RATIO || burnt >= 1 / LARGEST_LOAD_RATIO) return undefined;
  const entry = entryOf(growth, look.context, index);
  const inPod = ({ canaryShare, half }: NodeEvidence, sign: number): number =>
    burnt * (canaryShare + sign * half);
  const isBackground = waits(growth, index) || inPod(entry, 1) >= BACKGROUND_PART * entry.baselineShare;
  const byCpu = alike(facts, cpuOf).kind === 'Some' ? OTHER_CPU_RATIO : 1; // twins do not have its load either
  const most = PODS_DIFFER * byCpu * ratioOf(disturbancesOf(facts, mix)) * growth.baselineShare;
  if (!isBackground || inPod(growth, -1) > most) return undefined;
  const message = `${loadSentence(load)}, and in CPU a pod it takes no more than in the baseline's, as work does that no request causes`;
  return { kind: 'UnequalLoad', message };
}

/** By which threads of a runtime wait for work: the rarer it comes, the more often is waited for each of it. */
const WAITS =
  /^(java|jdk|sun|io\.netty|kotlinx\.coroutines)\..*\.(park\w*|tryPark|\w*[wW]ait\w*|\w*[sS]elect\w*|poll\w*|sleep\w*|yield\w*)$/;

const waits = ({ node }: NodeEvidence, index: StackIndex): boolean =>
  WAITS.test(index.functions[functionOf(node)] ?? '');

function cpuRatio({ baseline, canary }: GateFacts): number {
  const rate = (arm: ArmFacts): number => sumOver(arm, 'cpuUsec') / Math.max(1, sumOver(arm, 'windowMs'));
  return rate(baseline) > 0 ? rate(canary) / rate(baseline) : 1;
}

function entryOf(growth: NodeEvidence, context: LookContext, index: StackIndex): NodeEvidence {
  const frames = commonestStack(growth.node, index, context.canary.stackCounts)?.frames ?? [];
  const outermost = frames.filter((name) => frameIsFunction(name) && !frameIsMachinery(name)).reverse();
  for (const name of outermost) {
    const entry = weighNode(totalNode(index.functions.indexOf(name)), context);
    if (entry.baselineShare <= LARGEST_ENTRY) return entry;
  }
  return growth;
}

type Alike =
  | { readonly kind: 'Same' | 'None' }
  | { readonly kind: 'Some'; readonly canary: ReadonlySet<string>; readonly baseline: ReadonlySet<string> };

const FEWEST_ALIKE = 2; // baseline pods

const cpuOf = ({ host }: PodFacts): string | undefined => host?.cpuModel || undefined;

/** Pods that have their like in the other arm; Same where nobody differs, or it is not known of all. */
function alike({ baseline, canary }: GateFacts, keyOf: (pod: PodFacts) => string | undefined): Alike {
  const keys = new Set([...baseline.values(), ...canary.values()].map(keyOf));
  if (keys.size <= 1 || keys.has(undefined)) return { kind: 'Same' };
  const byKey = Map.groupBy(baseline.values(), keyOf);
  const shared = new Set(
    [...canary.values()].map(keyOf).filter((key) => (byKey.get(key)?.length ?? 0) >= FEWEST_ALIKE),
  );
  if (shared.size === 0) return { kind: 'None' };
  const of = (arm: ArmFacts) =>
    new Set([...arm.values()].filter((pod) => shared.has(keyOf(pod))).map(({ pod }) => pod));
  return { kind: 'Some', canary: of(canary), baseline: of(baseline) };
}

const LEAST_PART_OF_MARGIN = 0.5;

function doubtOfTwins(growth: NodeEvidence, { look, facts }: CpuDoubtRound): Doubt | undefined {
  const { canary, baseline } = look.context;
  const among = (pods: { readonly canary?: ReadonlySet<string>; readonly baseline: ReadonlySet<string> }) =>
    weighNode(growth.node, {
      ...look.context,
      canary: pods.canary === undefined ? canary : armOf(canary, pods.canary),
      baseline: armOf(baseline, pods.baseline),
    });
  const sameCpu = alike(facts, cpuOf);
  if (sameCpu.kind === 'Some') {
    const { delta, half } = among(sameCpu);
    if (!(delta - half > 0 && delta >= LEAST_PART_OF_MARGIN * look.margin)) {
      const message = `pods of both arms on one model of CPU (${sameCpu.baseline.size} and ${sameCpu.canary.size}) do not show it`;
      return { kind: 'SlowerCpu', message };
    }
  }
  const young = agedAlike(facts);
  if (
    young.size >= FEWEST_ALIKE &&
    !(among({ baseline: young }).delta >= LEAST_PART_OF_MARGIN * look.margin)
  ) {
    return { kind: 'AgeDrift', message: `${young.size} baseline pods as young as the canary's show it too` };
  }
  return undefined;
}

/** What some pods of an arm add up to; blocks and squares are of no use to who weighs a node. */
function armOf(arm: ArmTally, names: ReadonlySet<string>): ArmTally {
  const pods = new Map([...arm.pods].filter(([pod]) => names.has(pod)));
  const counts = new Float64Array(arm.counts.length);
  let samples = 0;
  for (const pod of pods.values()) {
    samples += pod.samples;
    pod.counts.forEach((count, node) => {
      counts[node] = (counts[node] ?? 0) + count;
    });
  }
  return { ...arm, pods, counts, samples };
}

const CALLER_PART = 0.5;

/**
 * With DebugNonSafepoints a method that is inlined at the leaf has a name of its own, without it is its caller's cost. Where the arms
 * differ in that, a growth counts if the nearest caller that was there before costs more by as much.
 */
function doubtOfFlags(growth: NodeEvidence, round: CpuDoubtRound): Doubt | undefined {
  const { look, index, facts } = round;
  const same = alike(facts, ({ flags }) => flags);
  if (same.kind === 'Same') return undefined;
  const { context } = look;
  if (same.kind === 'Some') {
    const [canary, baseline] = [armOf(context.canary, same.canary), armOf(context.baseline, same.baseline)];
    const { delta, half } = weighNode(growth.node, { ...context, canary, baseline });
    if (delta - half > 0 && delta >= LEAST_PART_OF_MARGIN * look.margin) return undefined;
  } else {
    const frames = commonestStack(growth.node, index, context.canary.stackCounts)?.frames ?? [];
    const own = index.functions[functionOf(growth.node)] ?? '';
    const callers = frames.slice(frames.indexOf(own) + 1).filter(frameIsFunction);
    const ofCallers = callers.map((name) => weighNode(totalNode(index.functions.indexOf(name)), context));
    const nearest = ofCallers.find(
      ({ baselineShare, canaryShare }) => baselineShare > CALLER_PART * canaryShare,
    );
    const isPassedOn =
      nearest !== undefined &&
      nearest.delta >= CALLER_PART * growth.delta * (1 - nearest.baselineShare) &&
      nearest.delta - nearest.half > 0 &&
      doubtOfBackground(nearest, round) === undefined;
    if (isPassedOn) return undefined;
  }
  const flagsOf = (arm: ArmFacts): string =>
    [...new Set([...arm.values()].map(({ flags }) => flags || 'none'))].join(', ');
  const message = `the arms' JVMs run with different profiling flags (baseline: ${flagsOf(facts.baseline)}; canary: ${flagsOf(facts.canary)}), which names the same code otherwise`;
  return { kind: 'ProfilingFlagsDiffer', message };
}
