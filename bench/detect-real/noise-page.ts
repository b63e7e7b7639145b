/** The part of docs/noise.md on requests: what the engine assumes beside what these pods showed. */
import type { Judged } from './judge.ts';
import type { RequestNoise } from './request-noise.ts';
import type { YoungPods } from './young-pods.ts';

export function noisePage(judged: readonly Judged[], recordedWith: string): string {
  return [
    recordedWith,
    '',
    'sd between pods: of the logarithm, what stays of a pod over the recording, sampling and waves taken out. Waves: of a pod from one',
    "block of 120 s to the next, beyond sampling (of CPU all of it). Ageing: between the two halves of a pod's time. φ: variance of blocks over",
    "that of independent requests. Correlation: of a pod's blocks 120 s and 600 s apart. In brackets what `src/detect` assumes while",
    'a baseline has not told; what is measured in an evaluation counts then.',
    '',
    '| JDK | Of | Level | Pods, blocks | sd between pods | Waves, 120 s | Ageing | φ 120 s | φ 600 s | Correlation 120 s | 600 s |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
    ...judged.flatMap(({ release, jdk, noise }) =>
      noise.requests.map((line) => row(release === '' ? jdk : release, line)),
    ),
    '',
    '| JDK | Functions of 1 % and more | Samples | sd between pods, median (assumed 3 %) | P90 | φ 120 s, median | P90 | φ 600 s, median | P90 |',
    '|---|---|---|---|---|---|---|---|---|',
    ...judged.flatMap(({ release, noise: { functions: of } }) =>
      of === null
        ? []
        : [
            `| ${[
              release,
              of.functions,
              of.samples.toLocaleString('en'),
              percent(of.podSdMedian),
              percent(of.podSdP90),
              ...[of.phi120Median, of.phi120P90, of.phi600Median, of.phi600P90].map((phi) => phi.toFixed(2)),
            ].join(' | ')} |`,
          ],
    ),
    '',
    'Unchanged pods that were just started, over old ones in the same half minutes: canaries, which get less to do, and restarted pods of the baseline.',
    '',
    '| JDK | Pods | By | From, to | Requests | CPU a request | P50 |',
    '|---|---|---|---|---|---|---|',
    ...judged.flatMap(({ release, noise: { young } }) => [
      ...young.canaries.map((line) => youngRow(release, 'canaries', line)),
      ...young.baseline.map((line) => youngRow(release, 'baseline', line)),
    ]),
  ].join('\n');
}

const youngRow = (release: string, pods: string, line: YoungPods): string =>
  `| ${[
    release,
    pods,
    line.by === 'age' ? 'age, minutes' : 'requests it has served',
    `${line.from} to ${line.to ?? '…'}`,
    line.requests.toLocaleString('en'),
    `× ${line.cpuRatio.toFixed(2)}`,
    `× ${line.p50Ratio.toFixed(2)}`,
  ].join(' | ')} |`;

function row(release: string, noise: RequestNoise): string {
  const { assumed } = noise;
  const beside = (seen: number, from: number | null): string =>
    from === null ? percent(seen) : `${percent(seen)} (${percent(from)})`;
  const factor = (phi: number | null): string => (phi === null ? 'n/a' : phi.toFixed(2));
  return `| ${[
    release,
    noise.measure,
    `${noise.ms.toPrecision(3)} ms`,
    `${noise.pods}, ${noise.blocks}`,
    beside(noise.podSd, assumed.podSd),
    beside(noise.waveSd, assumed.waveSd),
    beside(noise.ageingSd, assumed.ageingSd),
    factor(noise.phi120),
    factor(noise.phi600),
    noise.correlation120.toFixed(2),
    noise.correlation600.toFixed(2),
  ].join(' | ')} |`;
}

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
