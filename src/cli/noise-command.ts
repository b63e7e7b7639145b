/** `flamegate noise`: recordings of unchanged pods in, markdown tables out. */
import { formatSharePercent } from '../crds/quantities.ts';
import type { RecordedWindow } from '../wire/window-lines.ts';
import { type FunctionNoise, measureNoise, type Noise } from './noise.ts';
import { readRecording } from './recording.ts';
import { visible } from './visible.ts';

const FUNCTIONS_SHOWN = 12;

export async function runNoise(directories: readonly string[]): Promise<string> {
  const recordings: (readonly RecordedWindow[])[] = [];
  for (const directory of directories) recordings.push((await readRecording(directory)).windows);
  return renderNoise(measureNoise(recordings.flat()));
}

export function renderNoise(noises: readonly Noise[]): string {
  return [
    summary(noises),
    ...noises.map((noise) => functionTable(noise)),
    ...noises.map((noise) => ageTable(noise)),
  ]
    .map((lines) => `${lines.map(visible).join('\n')}\n`)
    .join('\n');
}

function summary(noises: readonly Noise[]): string[] {
  return [
    'Functions of at least 1 % of CPU, with callees. sd: between pods, as a part of the share, sampling noise taken out.',
    'φ: variance within a pod over that of independent samples, in blocks of 120 s and 600 s.',
    '',
    '| Container | JDK | Pods | Pod hours | Samples | Functions | sd median | sd P90 | φ 120 s median | P90 | φ 600 s median | P90 |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...noises.map((noise) => {
      const sds = noise.functions.map(({ podSd }) => podSd);
      const cells = [
        noise.container,
        noise.jdk === '' ? 'unknown' : noise.jdk,
        noise.pods,
        noise.podHours.toFixed(1),
        noise.samples.toLocaleString('en'),
        noise.functions.length,
        formatSharePercent(quantile(sds, 0.5)),
        formatSharePercent(quantile(sds, 0.9)),
        ...[120, 600].flatMap((seconds) => [0.5, 0.9].map((q) => factor(quantile(phis(noise, seconds), q)))),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  ];
}

function functionTable(noise: Noise): string[] {
  return [
    `### ${noise.container}, JDK ${noise.jdk === '' ? 'unknown' : noise.jdk}: the largest functions`,
    '',
    '| Function | Share | sd between pods | φ 120 s | φ 600 s |',
    '|---|---|---|---|---|',
    ...noise.functions.slice(0, FUNCTIONS_SHOWN).map(functionRow),
  ];
}

function functionRow(noise: FunctionNoise): string {
  const phi = [120, 600].map((seconds) => factor(noise.overdispersion.get(seconds)));
  return `| \`${noise.name.replaceAll(/[|`]/g, '_')}\` | ${formatSharePercent(noise.share)} | ${formatSharePercent(noise.podSd)} | ${phi.join(' | ')} |`;
}

function ageTable(noise: Noise): string[] {
  return [
    `### ${noise.container}, JDK ${noise.jdk === '' ? 'unknown' : noise.jdk}: drift with age`,
    '',
    'Distance of the self shares of all functions from those of the oldest part (0: the same, 1: nothing in common).',
    '',
    '| Age, minutes | Samples | Distance | By chance alone |',
    '|---|---|---|---|',
    ...noise.ages.map(
      (age) =>
        `| ${age.fromMinutes} to ${age.toMinutes} | ${age.samples.toLocaleString('en')} | ${age.distance.toFixed(3)} | ${age.byChance.toFixed(3)} |`,
    ),
  ];
}

function phis(noise: Noise, seconds: number): number[] {
  return noise.functions.flatMap(({ overdispersion }) => {
    const phi = overdispersion.get(seconds);
    return phi === undefined ? [] : [phi];
  });
}

const factor = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? 'n/a' : value.toFixed(2);

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
