/** Judges one recording: its canaries, live and again, its baseline against itself, and how far its pods stray. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readKeptEvaluations } from '../../src/cli/kept-evaluations.ts';
import { readIndex } from '../../src/cli/recording.ts';
import type { GateSettings } from '../../src/detect/gate-evaluation.ts';
import { type KeptResults, keyOf, openResults } from '../kept-results.ts';
import { judgeInTurn, judgeRollout, lessOnePod } from './canaries.ts';
import type { CanaryOutcome } from './canary-gate.ts';
import { measureFunctionNoise } from './function-noise.ts';
import { type LiveVerdict, liveVerdicts } from './live-verdicts.ts';
import {
  foretold,
  judgeSlice,
  type PlaceboOutcome,
  placeboSlices,
  summaryOfPlacebos,
  wholeMinutes,
} from './placebos.ts';
import { type GateTimes, marginsText, settingsOf, withSeenMargins } from './recorded-gate.ts';
import { generationsOf, type RecordedPod, type RecordedPods, readPods } from './recorded-pods.ts';
import { historyOfReplicas } from './replicas.ts';
import { measureRequestNoise } from './request-noise.ts';
import { measureYoungPods } from './young-pods.ts';

const BASELINE = 'stable';
const UNCHANGED = 'again';
const REGRESSED = 'codec';
const GATES_A_PART = 44; // a fifth of a slice, some half a minute
/** What has a part in what is found; the rest makes the recording, or shows what was found. */
const CODE = [
  ...['src/detect/*.ts', 'src/requests/*.ts', 'src/wire/window-lines.ts'],
  'bench/detect-real/{canaries,canary-gate,codec,function-noise,judge,placebos,recorded-*,replicas,request-noise,young-pods}.ts',
];
const NOISE_QUANTILES = [0.5, 0.99];

export interface JudgeOptions {
  readonly root: string;
  readonly directory: string;
  readonly jdk: string;
  /** Instead of the gate's. */
  readonly times: GateTimes;
  readonly say: (line: string) => void;
}

export type Judged = Awaited<ReturnType<typeof judgeRecording>>;

export async function judgeRecording({ root, directory, jdk, times, say }: JudgeOptions) {
  const index = await readIndex(directory);
  const kept = await readKeptEvaluations(directory);
  const spec = kept?.gates.find(({ metadata }) => metadata.name === UNCHANGED)?.spec;
  const settings = settingsOf(spec, times);
  const recorded = await readPods(directory, settings.warmUpMs);
  say(
    `${recorded.windows} windows of ${recorded.pods.length} pods, ${minutesOf(recorded)} min; gate: ${marginsText(settings)}`,
  );
  const key = keyOf(root, CODE, JSON.stringify([index, settings]));
  const results = openResults(`${root}/build/bench-detect-real/jdk${jdk}.ndjson`, key);
  const { pods } = recorded;
  const baseline = pods.filter(({ arm }) => arm === BASELINE);
  const unchanged = generationsOf(pods, UNCHANGED);
  const regressed = generationsOf(pods, REGRESSED);
  const judge = { results, say };
  const reports = kept?.reports ?? [];
  const canaries = {
    restarted: unchanged.map((canary) =>
      one(judge, `again ${canary.hash}`, () => judgeRollout(baseline, canary, settings)),
    ),
    restartedLive: liveVerdicts(reports, unchanged),
    codec: regressed.flatMap((canary) =>
      all(judge, `codec ${canary.hash}`, () => judgeInTurn(baseline, canary, settings)),
    ),
    codecOfTwo: regressed.flatMap((canary) =>
      lessOnePod(canary).flatMap((two, without) =>
        all(judge, `codec ${canary.hash} less ${without}`, () => judgeInTurn(baseline, two, settings)),
      ),
    ),
    codecLive: liveVerdicts(reports, regressed),
  };
  for (const live of [...canaries.restartedLive, ...canaries.codecLive]) say(lineOfLive(live));
  const noise = results.once('noise', () => ({
    requests: measureRequestNoise(baseline, NOISE_QUANTILES),
    functions: measureFunctionNoise(baseline),
    young: youngPodsOf(recorded),
  }));
  return {
    jdk,
    release: baseline[0]?.jdk ?? '',
    about: aboutOf(directory),
    minutes: minutesOf(recorded),
    baselinePods: baseline.length,
    noise,
    canaries,
    placebo: judgePlacebos(judge, baseline, settings),
  };
}

/** Unchanged ones: canaries that are like the baseline, and its own restarted pods, which are asked for more. */
function youngPodsOf({ pods, firstMs }: RecordedPods) {
  const isOld = (pod: RecordedPod): boolean => pod.firstMs < firstMs + 60_000;
  const baseline = pods.filter(({ arm }) => arm === BASELINE);
  const old = baseline.filter(isOld);
  const canaries = pods.filter(({ arm }) => arm === UNCHANGED);
  return {
    canaries: measureYoungPods(canaries, old),
    baseline: measureYoungPods(
      baseline.filter((pod) => !isOld(pod)),
      old,
    ),
  };
}

const minutesOf = ({ firstMs, lastMs }: RecordedPods): number => Math.round((lastMs - firstMs) / 60_000);

interface Judge {
  readonly results: KeptResults;
  readonly say: (line: string) => void;
}

const one = (judge: Judge, name: string, find: () => CanaryOutcome): CanaryOutcome => {
  const outcome = judge.results.once(name, find);
  judge.say(lineOf(name, outcome));
  return outcome;
};

const all = (judge: Judge, name: string, find: () => readonly CanaryOutcome[]): readonly CanaryOutcome[] => {
  const outcomes = judge.results.once(name, find);
  for (const outcome of outcomes) judge.say(lineOf(name, outcome));
  return outcomes;
};

function lineOf(
  name: string,
  { verdict, afterS, deadlineS, by, codecPlace, message }: CanaryOutcome,
): string {
  const when = afterS === undefined ? `after all of ${deadlineS} s` : `after ${afterS} s`;
  const codec = codecPlace > 0 ? `, the codec culprit ${codecPlace}` : '';
  return `${name}: ${verdict} ${when} ${by.join()}${codec}${verdict === 'Failed' ? `: ${message}` : ''}`;
}

const lineOfLive = ({ gate, hash, verdict, afterS, by, codecPlace }: LiveVerdict): string =>
  `live, ${gate} ${hash}: ${verdict}${afterS === undefined ? '' : ` after ${afterS} s`} ${by.join()}${codecPlace > 0 ? `, the codec culprit ${codecPlace}` : ''}`;

/** By the gate's own margins, where hardly anything passes that pods like these can show, and by margins they can be told by. */
function judgePlacebos(judge: Judge, baseline: RecordedPods['pods'], settings: GateSettings) {
  const history = historyOfReplicas(baseline);
  const slices = placeboSlices(history, settings.deadlineMs);
  const plans = slices.map((slice, number) =>
    judge.results.once(`plan ${number}`, () => foretold(history, settings, slice) ?? null),
  );
  const seen = withSeenMargins(
    settings,
    plans.map((plan) => plan ?? undefined),
  );
  const runs = [
    { margins: 'gate', settings },
    ...(seen === undefined ? [] : [{ margins: 'seen', settings: seen }]),
  ] as const;
  return runs.map((run) => {
    const outcomes: PlaceboOutcome[] = [];
    for (const [number, slice] of slices.entries()) {
      for (let from = 0; from < slice.length; from += GATES_A_PART) {
        const name = `placebos ${run.margins} ${number} ${from}`;
        const part = slice.slice(from, from + GATES_A_PART);
        outcomes.push(...judge.results.once(name, () => judgeSlice(part, history, run.settings)));
      }
      const failed = outcomes.filter(({ verdict }) => verdict === 'Failed').length;
      const passed = outcomes.filter(({ verdict }) => verdict === 'Passed').length;
      judge.say(
        `placebos, ${marginsText(run.settings)}, slice ${number + 1} of ${slices.length}: ${failed} Failed and ${passed} Passed of ${outcomes.length} so far`,
      );
    }
    const foreseen = plans.filter((plan) => plan?.marginAfterMs !== undefined).length;
    return {
      margins: run.margins,
      marginsText: marginsText(run.settings),
      pods: history.pods.length,
      minutes: wholeMinutes(history),
      // Of the gate's own margins; the others are those that are foretold.
      slicesForeseen: run.margins === 'gate' ? foreseen : slices.length,
      ...summaryOfPlacebos(outcomes),
    };
  });
}

/** What the recording's maker wrote beside it; null where it is none of record.ts. */
function aboutOf(directory: string): unknown {
  try {
    return JSON.parse(readFileSync(join(directory, 'about.json'), 'utf8'));
  } catch {
    return null;
  }
}
