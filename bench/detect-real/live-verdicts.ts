/** What the controller itself said while it was recorded. */
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { warmFromMs } from './canary-gate.ts';
import { namesCodec } from './codec.ts';
import type { Generation } from './recorded-pods.ts';

export interface LiveVerdict {
  readonly hash: string;
  readonly gate: string;
  readonly attempt: number;
  readonly verdict: string;
  /** From when the canary's first window counts. */
  readonly afterS?: number;
  readonly by: readonly string[];
  readonly codecPlace: number;
  readonly message: string;
}

/**
 * The first evaluation of each generation that came to an end. One over two generations at once, while the one gave way to the other, is of
 * neither: its hash is none of theirs.
 */
export function liveVerdicts(
  reports: readonly RegressionReport[],
  generations: readonly Generation[],
): readonly LiveVerdict[] {
  return generations.flatMap((generation) => {
    const ended = reports
      .filter(({ spec }) => spec.canaryHash === generation.hash)
      .map((report) => verdictOf(report, warmFromMs(generation)))
      .filter((one) => one !== undefined)
      .sort((a, b) => a.attempt - b.attempt);
    return ended.slice(0, 1);
  });
}

function verdictOf({ spec, status }: RegressionReport, warmMs: number): LiveVerdict | undefined {
  const verdict = status?.verdict;
  if (status === undefined || verdict === undefined || verdict === 'Collecting') return undefined;
  const { startedAt, decidedAt, checks = [], culprits = [], message = '' } = status;
  return {
    hash: spec.canaryHash,
    gate: spec.gate,
    attempt: spec.attempt,
    verdict,
    ...(verdict === 'Inconclusive' || startedAt === undefined || decidedAt === undefined
      ? {}
      : { afterS: (Date.parse(decidedAt) - Math.max(warmMs, Date.parse(startedAt))) / 1_000 }),
    by: checks.filter((check) => check.verdict === 'Failed').map(({ check }) => check),
    codecPlace: culprits.findIndex(namesCodec) + 1,
    message,
  };
}
