/**
 * Gates over recordings of real pods, of JDK 17 and 25: records what is missing, and judges what there is. Writes bench/results/detect-real.json
 * and the part of docs/noise.md on requests, and goes on where the run before ended, unless the code or a recording has changed since.
 * RECORDINGS (~/.cache/flamegate/detect-real): a directory for each JDK in it. MINUTES (90), JDKS (17,25): of what is recorded where
 * it is missing or shorter; RECORD=never: judge what there is. DEADLINE, WARM_UP: instead of the recorded gate's.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { startSteps } from '../scripts/demo/step.ts';
import { type Judged, judgeRecording } from './detect-real/judge.ts';
import { noisePage } from './detect-real/noise-page.ts';
import { defaultDirectory, directoryOf, isMissing, type Jdk, record } from './detect-real/recordings.ts';
import { summaryOf } from './detect-real/summary.ts';
import { machine, writeResult } from './machine.ts';
import { replaceBetweenMarkers } from './marked-text.ts';
import { startTestCluster } from './test-cluster.ts';

const ROOT = resolve(import.meta.dirname, '..');
const PAGE = `${ROOT}/docs/noise.md`;
const SHORTEST_PUBLISHED_MINUTES = 60; // waves of ten minutes need six

const directory = process.env['RECORDINGS'] ?? defaultDirectory();
const minutes = Number(process.env['MINUTES'] ?? '90');
const jdks = (process.env['JDKS'] ?? '17,25').split(',').map(jdkFrom);
const { DEADLINE: deadline, WARM_UP: warmUp } = process.env;
const times = {
  ...(deadline === undefined ? {} : { deadline }),
  ...(warmUp === undefined ? {} : { warmUp }),
};
const steps = startSteps((line) => console.log(line));

await recordMissing();
const judged: Judged[] = [];
for (const jdk of jdks) {
  const options = { root: ROOT, directory: directoryOf(directory, jdk), jdk, times, say: steps.say };
  judged.push(await steps.run(`judge the recording of JDK ${jdk}`, () => judgeRecording(options)));
}
publish();

function jdkFrom(text: string): Jdk {
  if (text === '17' || text === '25') return text;
  throw new Error(`JDKS: 17, 25 or both with a comma between, not ${text}`);
}

async function recordMissing(): Promise<void> {
  if (process.env['RECORD'] === 'never') return;
  const missing: Jdk[] = [];
  for (const jdk of jdks) if (await isMissing(directory, jdk, minutes)) missing.push(jdk);
  if (missing.length === 0) return;
  const cluster = await startTestCluster('flamegate-detect-real', steps);
  try {
    await steps.run(`record JDK ${missing.join(' and ')} for ${minutes} min`, () =>
      record(directory, missing, minutes),
    );
  } finally {
    cluster.stop();
  }
}

function publish(): void {
  const summary = summaryOf(judged);
  const { placebo, restarted, codec12ms } = summary;
  for (const { jdk, marginsText, gates, failed, passed, effectiveGates, failedInterval } of placebo) {
    const [low, high] = failedInterval.map((part) => `${(100 * part).toFixed(2)} %`);
    console.log(
      `placebos, JDK ${jdk}, ${marginsText}: ${failed} of ${gates} Failed (${low} to ${high}, as ${effectiveGates} independent gates), ${passed} Passed`,
    );
  }
  console.log(`restarted, unchanged: ${JSON.stringify(restarted)}`);
  const { runs, ...counts } = codec12ms;
  console.log(`slow codec, ${runs.length} runs: ${JSON.stringify(counts)}`);
  const { cpu, cores, kernel } = machine('');
  const recordedWith = judged.map(recordedWords).join(' ');
  const page = noisePage(judged, `${recordedWith} On one node (${cpu}, ${cores} cores, kernel ${kernel}).`);
  console.log(`\n${page}\n`);
  const path = writeResult('detect-real', 'make bench-detect-real', jdks.join(', '), summary);
  console.log(`written to ${path}`);
  const isLong = judged.every(({ minutes: long }) => long >= SHORTEST_PUBLISHED_MINUTES);
  if (!isLong || judged.some(({ noise }) => noise.requests.length === 0)) {
    console.log(
      `docs/noise.md is left as it is: it takes ${SHORTEST_PUBLISHED_MINUTES} minutes of requests of each JDK`,
    );
    return;
  }
  writeFileSync(PAGE, replaceBetweenMarkers(readFileSync(PAGE, 'utf8'), 'requests', page));
  console.log('written to docs/noise.md');
}

function recordedWords({ release, baselinePods, minutes: long }: Judged): string {
  return `JDK ${release}: ${baselinePods} pods of one version in ${long} minutes, some of them one after the other.`;
}
