/** The canaries of a recording, judged again: those that are like the baseline, and those with the slow codec. */
import type { GateSettings } from '../../src/detect/gate-evaluation.ts';
import { LOOK_MS } from '../../src/detect/looks.ts';
import { type CanaryOutcome, judgeCanary, nextLookMs, warmFromMs } from './canary-gate.ts';
import type { Generation, RecordedPod } from './recorded-pods.ts';

/** A gate from the first window of a generation, as its rollout had one. */
export function judgeRollout(
  baseline: readonly RecordedPod[],
  canary: Generation,
  settings: GateSettings,
): CanaryOutcome {
  return judgeCanary({ baseline, canary, settings, startedAtMs: nextLookMs(canary.firstMs) });
}

/** Of a deadline; what is left of a generation when the gate before is decided is another gate only if it is that long. */
const LEAST_PART = 0.5;

/**
 * One gate after the other while a generation lasts, the first of them of its rollout: the next begins where the one before was
 * decided, so none sees another's windows of the canary. When one begins depends on what came before it only, and each
 * that began counts, so none is chosen by its end.
 */
export function judgeInTurn(
  baseline: readonly RecordedPod[],
  canary: Generation,
  settings: GateSettings,
): readonly CanaryOutcome[] {
  const outcomes: CanaryOutcome[] = [];
  let startedAtMs = nextLookMs(canary.firstMs);
  const lastMs = Math.floor(canary.lastMs / LOOK_MS) * LOOK_MS;
  while (lastMs - Math.max(startedAtMs, warmFromMs(canary)) >= LEAST_PART * settings.deadlineMs) {
    const deadlineMs = Math.min(settings.deadlineMs, lastMs - startedAtMs);
    const outcome = judgeCanary({ baseline, canary, startedAtMs, settings: { ...settings, deadlineMs } });
    outcomes.push(outcome);
    if (outcome.afterS === undefined) break; // it saw all that it was given
    startedAtMs = nextLookMs(Math.max(startedAtMs, warmFromMs(canary)) + outcome.afterS * 1_000);
  }
  return outcomes;
}

/** The generation less one of its pods, each in turn: what fewer pods would have shown. */
export const lessOnePod = (canary: Generation): readonly Generation[] =>
  canary.pods.map((without) => ({ ...canary, pods: canary.pods.filter((pod) => pod !== without) }));
