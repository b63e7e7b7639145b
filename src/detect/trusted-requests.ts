/**
 * What a check of requests shows in some windows, kept beside what all of them show: where nothing is the matter (trusted-windows.ts),
 * and beside baseline pods of the canary's age.
 */
import type { Doubt, WindowTrouble } from './doubt.ts';
import type { EffectEvidence } from './effect-evidence.ts';
import { Restarts, type Stretch, type ThresholdShape } from './restarts.ts';
import type { TrustedPart } from './trusted-windows.ts';

/**
 * Of growth where nothing is the matter, at any look. Whatever is the matter with the other windows proves growth of them all, so that
 * these are no second look at something proven: they are all there is.
 */
export const TRUSTED_ALPHA = 0.01;

export class TrustedRequests {
  readonly #restarts: Restarts;
  readonly #leftOut = new Map<WindowTrouble, number>();
  #canaryMs = 0;
  #byCpu = false;
  #inverse = 0;
  #looks = 0;

  /** `blocks`: of BLOCK_MS in the whole gate. */
  constructor(blocks: number) {
    this.#restarts = new Restarts(blocks);
  }

  /** `stretch`: of the trusted windows; `inversePods`: 1/pods of both arms, together. */
  add(block: number, stretch: Stretch, inversePods: number): void {
    this.#restarts.add(block, stretch);
    if (stretch.requests === 0) return;
    this.#inverse += inversePods;
    this.#looks += 1;
  }

  note({ leftOut, canaryMs, byCpu }: TrustedPart): void {
    this.#canaryMs += canaryMs;
    this.#byCpu ||= byCpu;
    for (const [kind, ms] of leftOut) this.#leftOut.set(kind, (this.#leftOut.get(kind) ?? 0) + ms);
  }

  /** What most of the canary's windows that are no evidence have in common, and the part of its time that they are. */
  get mostLeftOut(): { readonly kind: WindowTrouble; readonly part: number } | undefined {
    const [most] = [...this.#leftOut].sort(([, a], [, b]) => b - a);
    return most && { kind: most[0], part: most[1] / Math.max(1, this.#canaryMs) };
  }

  /** Whether windows were compared by model of CPU. */
  get byCpu(): boolean {
    return this.#byCpu;
  }

  /** Pods that the trusted windows are worth, as Σ of squared weights of both arms. */
  get concentration(): number {
    return this.#looks > 0 ? this.#inverse / this.#looks : 2;
  }

  /** Since block `from`, or since the evaluation began. */
  since(from: number | undefined): Stretch {
    const { sum, starts } = this.#restarts;
    const before = starts.findLast(({ block }) => from !== undefined && block <= from)?.before;
    if (before === undefined) return sum;
    return {
      requests: sum.requests - before.requests,
      counted: sum.counted - before.counted,
      expected: sum.expected - before.expected,
      squares: sum.squares - before.squares,
      looks: sum.looks - before.looks,
    };
  }
}

/** Variances on the scale of the effect, of a pod, and of a pod in one look. */
export interface TrustedNoise {
  readonly podVariance: number;
  readonly waveVariance: number;
  readonly podBound: number;
  readonly boundFactor: number;
}

const LEAST_PART_OF_MARGIN = 0.5;
const FEWEST_COUNTED = 10; // expected beyond the threshold; with fewer a part of them says nothing

/** How much slower the canary is in these windows, and how far that may stray; undefined where too few say it. */
function growthIn(
  windows: TrustedRequests,
  from: number | undefined,
  shape: ThresholdShape,
  noise: TrustedNoise,
): { readonly growth: number; readonly half: number } | undefined {
  const { requests, counted, expected, squares, looks } = windows.since(from);
  if (expected < FEWEST_COUNTED) return undefined;
  const part = expected / requests;
  const { concentration } = windows;
  const sampling =
    (part * (1 - part) * (1 / requests + squares / requests ** 2)) / shape.density ** 2 +
    (noise.waveVariance * concentration) / looks;
  return {
    growth: shape.shiftOf(counted / requests) - shape.shiftOf(part),
    half: Math.sqrt(
      noise.podBound ** 2 * noise.podVariance * concentration + noise.boundFactor ** 2 * sampling,
    ),
  };
}

type Grown = Pick<EffectEvidence, 'effect' | 'margin' | 'onset'>;

/**
 * Growth that all windows prove, and those that can be trusted do not. Where none had to be left out and only the pods beside it are
 * others, by the model of their CPU, growth is not asked for a second proof, but to be beyond the margin beside them, too: how far pods of
 * one model stray is not known.
 */
export function doubtOfWindows(
  { margin, onset }: Pick<Grown, 'margin' | 'onset'>,
  trusted: TrustedRequests,
  shape: ThresholdShape,
  noise: TrustedNoise,
): Doubt | undefined {
  const left = trusted.mostLeftOut;
  if (left === undefined && !trusted.byCpu) return undefined;
  const grown = growthIn(trusted, onset?.block, shape, noise);
  if (left === undefined) {
    if (grown !== undefined && grown.growth >= margin) return undefined;
    return { kind: 'SlowerCpu', message: 'beside baseline pods on the same model of CPU it is not shown' };
  }
  if (grown !== undefined && isShown(grown, margin)) return undefined;
  const { kind, message } = sentenceOf(left);
  return { kind, message: `${message}, and the rest does not show it` };
}

const isShown = (
  { growth, half }: { readonly growth: number; readonly half: number },
  margin: number,
): boolean => growth - half > 0 && growth >= LEAST_PART_OF_MARGIN * margin;

const EXPLAINED = 0.25; // of the growth, by the canary's age

/**
 * Growth of which baseline pods of the canary's age show a part, and beside which it is not shown. `besideTwins`: the canary's windows
 * with those pods'. Twins that show none of it, or too little of anything, are no ground for a doubt.
 */
export function doubtOfAge(
  { effect, margin, onset }: Grown,
  besideTwins: TrustedRequests,
  shape: ThresholdShape,
  noise: TrustedNoise,
): Doubt | undefined {
  const grown = growthIn(besideTwins, onset?.block, shape, noise);
  if (grown === undefined || isShown(grown, margin)) return undefined;
  const all = onset?.effect ?? effect;
  if (all - grown.growth < EXPLAINED * all) return undefined;
  return { kind: 'AgeDrift', message: 'beside baseline pods as young as the canary’s it is not shown' };
}

const MOST = 0.5;

/** Of what is only known of all windows together. */
export function doubtOfMost(trusted: TrustedRequests): Doubt | undefined {
  const left = trusted.mostLeftOut;
  if (left === undefined || left.part <= MOST) return undefined;
  return sentenceOf(left);
}

const sentenceOf = ({ kind, part }: { readonly kind: WindowTrouble; readonly part: number }): Doubt => ({
  kind,
  message: `${percent(part)} of the canary's time ${WHY[kind]}`,
});

const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;

const WHY: Readonly<Record<WindowTrouble, string>> = {
  Throttled: 'it was throttled and the baseline was not',
  WarmUp: 'it still compiled',
  UnequalLoad: 'its pods had over 1.3 times the requests of a baseline pod',
  SlowerCpu: 'it ran on a CPU that fewer than two baseline pods ran on',
  SamplesLost: 'too many of its requests were lost on the way',
};
