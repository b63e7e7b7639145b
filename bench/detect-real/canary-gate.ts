/** A gate over a recorded canary and the baseline beside it, from any moment: what the controller would have said. */
import {
  advanceGate,
  type GateSettings,
  gateIsDecided,
  gateJudgement,
  openGateEvaluation,
} from '../../src/detect/gate-evaluation.ts';
import { LOOK_MS } from '../../src/detect/looks.ts';
import { createStackIndex } from '../../src/detect/stack-index.ts';
import type { Verdict } from '../../src/detect/verdict.ts';
import { namesCodec } from './codec.ts';
import { type Generation, inLook, type RecordedPod } from './recorded-pods.ts';

export interface CanaryOutcome {
  /** Revision of the canary. */
  readonly hash: string;
  readonly canaryPods: number;
  readonly startedAtMs: number;
  readonly deadlineS: number;
  readonly verdict: Verdict;
  /** From when the canary's first window counts; of a gate that was decided. */
  readonly afterS?: number;
  /** Checks that failed it. */
  readonly by: readonly string[];
  /** Place of the codec among the culprits, from 1; 0: it is not among them. */
  readonly codecPlace: number;
  readonly message: string;
}

export interface CanaryGate {
  readonly baseline: readonly RecordedPod[];
  readonly canary: Generation;
  readonly startedAtMs: number;
  readonly settings: GateSettings;
}

const HISTORY_MS = 20 * 60_000; // as the controller reads

/** It begins with a look, so that looks of the recording are its own. */
export const nextLookMs = (atMs: number): number => Math.ceil(atMs / LOOK_MS) * LOOK_MS;

export function judgeCanary({ baseline, canary, startedAtMs, settings }: CanaryGate): CanaryOutcome {
  const first = startedAtMs / LOOK_MS;
  const history = range(first - HISTORY_MS / LOOK_MS, first).flatMap((look) => inLook(baseline, look));
  const evaluation = openGateEvaluation(settings, startedAtMs, history, createStackIndex());
  const end = first + Math.floor(settings.deadlineMs / LOOK_MS);
  for (let look = first; look < end && !gateIsDecided(evaluation); look++) {
    advanceGate(evaluation, {
      lookAtMs: (look + 1) * LOOK_MS,
      baseline: inLook(baseline, look),
      canary: inLook(canary.pods, look),
      warmUpExcluded: false,
    });
  }
  const { verdict, decidedAtMs, checks, culprits, message } = gateJudgement(
    evaluation,
    startedAtMs + settings.deadlineMs,
    true,
  );
  const isDecided = verdict === 'Failed' || verdict === 'Passed';
  const countsFromMs = Math.max(startedAtMs, warmFromMs(canary));
  return {
    hash: canary.hash,
    canaryPods: canary.pods.length,
    startedAtMs,
    deadlineS: settings.deadlineMs / 1_000,
    verdict,
    ...(isDecided && decidedAtMs !== undefined ? { afterS: (decidedAtMs - countsFromMs) / 1_000 } : {}),
    by: checks.filter((check) => check.verdict === 'Failed').map(({ check }) => check),
    codecPlace: culprits.findIndex(namesCodec) + 1,
    message,
  };
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);

/** When the first of its pods is past the warm-up. */
export const warmFromMs = ({ pods }: Generation): number =>
  Math.min(...pods.flatMap(({ looks }) => [...looks.values()].map(({ startMs }) => startMs)));
