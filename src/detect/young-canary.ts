/**
 * CPU of a canary that is no match for the baseline yet: of all its windows since a JVM of it was seen to be behind (maturity.ts), until it
 * has served enough. What the baseline has as well costs a young JVM more, in one function twice and in another not at all, so shares of it
 * prove nothing. Code that the baseline does not run is none of that: a path that is new and hot fails a gate, if
 *
 * - e-BH, the bounds of new-hot-path.ts and what else may explain it (cpu-doubt.ts) say so, as in any look;
 * - what calls it grew by the margin beyond what a JVM that compiles may make of it, as far as this canary's other functions tell: a
 *   function of another name, or one that was taken apart, costs its caller nothing more;
 * - a request will still run it for more than the margin once the canary has settled: what fills a cache or loads a class does not
 *   last (lasting-growth.ts).
 */
import { callersOf } from './attribution.ts';
import { COMPILING_RATIO, type CpuDoubtRound, doubtOfGrowth, JUST_COMPILED_RATIO } from './cpu-doubt.ts';
import { type CpuEvaluation, openCpuEvaluation } from './cpu-evaluation.ts';
import type { Finding } from './culprits.ts';
import { unusableBecause } from './decide-look.ts';
import { YOUNG_PART } from './function-levels.ts';
import { lastingOf, NO_POWERS, plus } from './lasting-growth.ts';
import { type LookEvidence, weighLook } from './look-evidence.ts';
import type { Block } from './looks.ts';
import { isNewAndHot, isServicePath } from './new-hot-path.ts';
import { type NodeEvidence, weighNode } from './node-evidence.ts';
import { roomFor } from './node-sums.ts';
import { servedIn } from './pod-facts.ts';
import type { PodWindow } from './pod-window.ts';
import { nodeIsTotal, totalNode } from './stack-index.ts';
import { addBlock } from './tally.ts';
import type { CpuSettings } from './verdict.ts';

/** Beside an evaluation of what is left without the windows of JVMs that are behind, over the same stacks and facts. */
export class YoungCanary {
  readonly cpu: CpuEvaluation;
  readonly #seen: NewCode;

  constructor(settings: CpuSettings, { startedAtMs, index, facts }: CpuEvaluation) {
    const opened = openCpuEvaluation(settings, startedAtMs, index, YOUNG_PART);
    this.cpu = { ...opened, facts };
    this.#seen = new NewCode();
  }

  get hasFailed(): boolean {
    return this.cpu.decision?.verdict === 'Failed';
  }

  advance({ baseline, canary, lookAtMs }: Block, mix: CpuEvaluation['mix']): void {
    if (this.hasFailed || canary.length === 0 || baseline.length === 0) return;
    const { cpu } = this;
    cpu.mix = mix;
    cpu.warmUpExcluded = true;
    const numbers = addBlock(cpu.arms, { baseline, canary }, cpu.index);
    cpu.sightings.add(canary, cpu.index, numbers.canary);
    this.#seen.add(canary, cpu);
    const look = weighLook(cpu.arms, cpu.levels);
    cpu.evidence = look;
    cpu.looks += 1;
    cpu.lastLookAtMs = lookAtMs;
    this.#decide(look);
  }

  #decide(look: LookEvidence | undefined): void {
    const { cpu } = this;
    const findings = look === undefined ? [] : this.#newCode(look);
    // Whether the arms' shares can be compared is not asked: it makes no code that is not there, and a caller has to have doubled.
    const before = new Set(cpu.decision?.findings.map(({ evidence }) => evidence.node));
    const hasFailed =
      look !== undefined &&
      unusableBecause(look, cpu.settings) === undefined &&
      findings.some(({ evidence }) => before.has(evidence.node));
    cpu.decision = {
      ...(hasFailed
        ? { verdict: 'Failed', reason: 'NewHotPath' }
        : { verdict: 'Collecting', reason: 'WarmUp' }),
      ...{ findings, open: [] },
    };
  }

  /** The largest first. */
  #newCode(look: LookEvidence): Finding[] {
    const { index, facts, mix } = this.cpu;
    const round = { look, index, facts, mix };
    const ratio = warmingRatio(look);
    return look.grown
      .filter((grown) => isNewAndHot(grown, look.context, look.newPathShare))
      .filter(({ node }) => isServicePath(node, index, look.context))
      .filter((grown) => callerGrew(grown, ratio, round) && this.#seen.lasts(grown, round))
      .filter((grown) => doubtOfGrowth(grown, round) === undefined)
      .sort((a, b) => b.delta - a.delta || a.node - b.node)
      .map((evidence) => ({ evidence, moved: undefined }));
  }
}

const NEW_PART = 0.1; // of the canary's share: a baseline below that did not really have the function
const LARGEST_CALLER = 0.5; // of CPU; beyond, it says more of what the rest did

/** The nearest one that the baseline has; the function itself where there is none but threads' own. */
function knownCaller(growth: NodeEvidence, { look, index }: CpuDoubtRound): NodeEvidence {
  for (const caller of callersOf(growth.node, index, look.context.canary.stackCounts)) {
    const evidence = weighNode(totalNode(caller), look.context);
    if (evidence.baselineShare < NEW_PART * evidence.canaryShare) continue;
    return evidence.baselineShare > LARGEST_CALLER ? growth : evidence;
  }
  return growth;
}

const FEWEST_FUNCTIONS = 20;
const WITHIN = 0.95; // of functions: one in twenty, as for all that is weighed once more

/**
 * By what warm-up multiplies the odds of a function's share, as this canary's functions show that the baseline has too: nineteen in twenty
 * gained no more. It falls as JVMs warm, where minutes and requests do not tell. On real pods with a fifth of the baseline's load it was
 * 2 and more after some 600 requests, 1.7 to 1.9 after 1,600. Chance makes it larger. At most what is assumed of a JVM that compiles.
 */
export function warmingRatio({ candidates, newPathShare }: LookEvidence): number {
  // Those that could call new code that is hot, and so are chosen by the canary: more of them grew than shrank.
  const ascending = candidates
    .filter(({ node, canaryShare }) => nodeIsTotal(node) && canaryShare >= newPathShare)
    .filter(({ canaryShare, baselineShare }) => baselineShare >= NEW_PART * canaryShare)
    .map(({ canaryShare, baselineShare }) => oddsOf(canaryShare) / oddsOf(baselineShare))
    .sort((a, b) => a - b);
  const found = ascending[Math.floor(WITHIN * ascending.length)];
  if (found === undefined || ascending.length < FEWEST_FUNCTIONS) return COMPILING_RATIO;
  return Math.min(COMPILING_RATIO, Math.max(JUST_COMPILED_RATIO, found));
}

const oddsOf = (share: number): number => share / (1 - share);

/**
 * By the margin beyond what warm-up makes of it now, and surely beyond what of that is left later. On real pods with a fifth of the
 * baseline's load callers of unchanged code had up to 2.4 times their share in the first minutes, and then 2.1.
 */
function callerGrew(growth: NodeEvidence, ratio: number, round: CpuDoubtRound): boolean {
  const { canaryShare, baselineShare, half } = knownCaller(growth, round);
  const grownBy = (times: number): number =>
    canaryShare - (times * baselineShare) / (1 - baselineShare + times * baselineShare);
  return grownBy(ratio) > round.look.margin && grownBy(JUST_COMPILED_RATIO) - half > 0;
}

const SURE = 1.645; // standard errors: one in twenty, as for all that is weighed once more

/** How often a request runs each node, as the canary's pods serve more. */
class NewCode {
  #sampled = NO_POWERS;
  #before = new Float64Array(0);
  /** Samples of each node, over n; and over n². */
  #x = new Float64Array(0);
  #xx = new Float64Array(0);

  /** Takes what these windows brought to the arm's counts. */
  add(windows: readonly PodWindow[], { arms, facts }: CpuEvaluation): void {
    const { counts } = arms.canary;
    const served = Math.max(1, facts.maturity.served);
    if (counts.length > this.#before.length) {
      this.#before = roomFor(this.#before, counts.length);
      this.#x = roomFor(this.#x, counts.length);
      this.#xx = roomFor(this.#xx, counts.length);
    }
    // A gate may raise the rate that its pods are sampled at: a request then has more samples.
    const size = windows.reduce((sum, window) => sum + servedIn(window) * window.hz, 0);
    this.#sampled = plus(this.#sampled, size, 1 / served);
    for (let node = 0; node < counts.length; node++) {
      const count = counts[node] ?? 0;
      const added = count - (this.#before[node] ?? 0);
      if (added === 0) continue;
      this.#before[node] = count;
      this.#x[node] = (this.#x[node] ?? 0) + added / served;
      this.#xx[node] = (this.#xx[node] ?? 0) + added / served ** 2;
    }
  }

  /** Whether what a request runs of it will surely be more than the margin, as a part of the CPU it takes now. */
  lasts({ node, canaryShare }: NodeEvidence, { look, facts }: CpuDoubtRound): boolean {
    const counts = [this.#before[node] ?? 0, this.#x[node] ?? 0, this.#xx[node] ?? 0] as const;
    const sums = { size: this.#sampled, excess: counts, variance: counts };
    const lasting = lastingOf(sums, 1 / facts.maturity.settledAt);
    if (lasting === undefined) return false;
    const overdispersion = look.context.dispersion.spreads[node]?.overdispersion ?? 1;
    const least = lasting.part - SURE * Math.sqrt(overdispersion) * lasting.error;
    const [now] = counts;
    return least * canaryShare > look.margin * (now / this.#sampled[0]);
  }
}
