/** `flamegate compare`: two builds of a service on one machine, started in turn until it is decided which functions cost more. */
import { judgeRuns, LEAST_ROUNDS, type RunsJudgement } from '../../detect/paired-runs.ts';
import type { ProfiledRun, RunPair } from '../../detect/run-counts.ts';
import { renderDiffPage } from '../../profile/diff-page.ts';
import { NOWHERE } from '../../profile/place.ts';
import { mergeStacks } from '../../profile/stack-counts.ts';
import { percent } from '../changes-text.ts';
import type { Outcome } from '../cli-error.ts';
import { checkWritable, writeText } from '../files.ts';
import type { Compare } from './compare-options.ts';
import { type Compared, headline, rendered } from './compare-text.ts';
import { profiledRun } from './profiled-run.ts';

/** Chance that two equal builds are called a regression, over the whole comparison. */
const FALSE_FAILURES = 0.01;
const EXIT_CODES = { Passed: 0, Failed: 1, Inconclusive: 3 } as const;

export interface CompareSurroundings {
  /** Undefined where nobody watches. */
  readonly say: ((line: string) => void) | undefined;
  /** Ends it early, with what is known. */
  readonly signal: AbortSignal;
  readonly random: () => number;
}

export async function runCompare(options: Compare, around: CompareSurroundings): Promise<Outcome> {
  if (options.page !== undefined) await checkWritable(options.page);
  const startMs = Date.now();
  const pairs: RunPair[] = [];
  let judged = judge(pairs, options, false);
  let longestMs = 0;
  let isLast = false;
  let beginsWithCanary = false;
  while (judged.verdict === 'Inconclusive' && !isLast && !around.signal.aborted) {
    const roundMs = Date.now();
    // Drift of the machine cancels: who begins is drawn for each two rounds, and turned in the second.
    beginsWithCanary = pairs.length % 2 === 0 ? around.random() < 0.5 : !beginsWithCanary;
    const pair = await runRound(options, beginsWithCanary, around);
    if (pair === undefined) break;
    pairs.push(pair);
    longestMs = Math.max(longestMs, Date.now() - roundMs);
    isLast = Date.now() - startMs + longestMs > options.deadlineMs;
    judged = judge(pairs, options, isLast);
    around.say?.(`round ${pairs.length}: ${roundText(judged, options)}`);
  }
  const compared: Compared = { judged, failOn: options.failOn, seconds: (Date.now() - startMs) / 1_000 };
  if (options.page !== undefined) await writeText(options.page, page(pairs, compared));
  return { text: rendered(compared, options.format), exitCode: EXIT_CODES[judged.verdict] };
}

const judge = (pairs: readonly RunPair[], { failOn }: Compare, isLast: boolean): RunsJudgement =>
  judgeRuns(pairs, { margin: failOn, falseFailures: FALSE_FAILURES, isLast });

/** Undefined when it was interrupted. */
async function runRound(
  options: Compare,
  beginsWithCanary: boolean,
  { signal }: CompareSurroundings,
): Promise<RunPair | undefined> {
  const { baseline, canary } = options;
  const first = await profiledRun(beginsWithCanary ? canary : baseline, options, signal);
  const second: ProfiledRun | undefined =
    first && (await profiledRun(beginsWithCanary ? baseline : canary, options, signal));
  if (first === undefined || second === undefined) return undefined;
  return beginsWithCanary ? { baseline: second, canary: first } : { baseline: first, canary: second };
}

const roundText = (judged: RunsJudgement, { failOn }: Compare): string =>
  judged.rounds < LEAST_ROUNDS ? `judged from the ${LEAST_ROUNDS}th on` : headline({ judged, failOn });

function page(pairs: readonly RunPair[], compared: Compared): string {
  const { grown, verdict } = compared.judged;
  const runs = {
    baseline: mergeStacks(...pairs.map(({ baseline }) => baseline.stacks)),
    canary: mergeStacks(...pairs.map(({ canary }) => canary.stacks)),
  };
  return renderDiffPage({
    title: `Canary against baseline: ${verdict}`,
    subtitle: headline(compared),
    verdict,
    views: [{ id: 'samples', label: 'Samples', group: 'CPU', what: 'samples', ...runs }],
    culprits: grown.map(({ name, baseline, canary }) => ({
      ...{ name, place: NOWHERE, kind: 'Grown' },
      text: `${percent(baseline)} to ${percent(canary)} of all samples`,
    })),
  });
}
