/** The comparison as a person reads it. Pure. */
import type { ComparedVariant, Noise } from './compared.ts';
import type { Estimate } from './paired-ratio.ts';

export interface TableRow extends ComparedVariant {
  readonly wholeRunCpuMsPerRequest: number;
  readonly heapMb: number;
  readonly startCpuS: number;
  readonly restartNeeded: boolean;
}

const COLUMNS = [
  'variant',
  'CPU ms/req',
  'agent + BPF',
  'to bare',
  '95 %',
  'P50 / P99 ms',
  'whole run',
  'RSS MB',
  'heap MB',
  'start CPU s',
  'node',
  'restart',
];

export function comparisonTable(rows: readonly TableRow[], noise: Noise | null): string {
  const lines = rows.map((row) => [
    ...sharedCells(row),
    row.wholeRunCpuMsPerRequest.toFixed(3),
    row.rssMb.toFixed(0),
    row.heapMb.toFixed(1),
    row.startCpuS.toFixed(1),
    row.nodeRssMb === 0 ? '-' : `${row.nodeCpuPercent.toFixed(2)} %, ${row.nodeRssMb.toFixed(0)} MB`,
    row.restartNeeded ? 'yes' : 'no',
  ]);
  return `${aligned([COLUMNS, ...lines])}\n${noiseText(noise)}`;
}

/** The first six columns, which every comparison has. */
const sharedCells = (row: ComparedVariant): readonly string[] => [
  row.name,
  row.cpuMsPerRequest.toFixed(3),
  outside(row),
  row.ratioToBare === null ? '-' : `${row.ratioToBare.toFixed(3)}${row.beyondNoise ? '' : ' (noise)'}`,
  intervalText(row.interval),
  `${row.p50Ms.toFixed(1)} / ${row.p99Ms.toFixed(1)}`,
];

/** The columns that a comparison on one and the same JVM has. */
export function sameJvmTable(rows: readonly ComparedVariant[], noise: Noise | null): string {
  const lines = rows.map(sharedCells);
  const columns = ['one JVM', ...COLUMNS.slice(1, 6)];
  return `${aligned([columns, ...lines])}\n${noiseText(noise)}`;
}

export function estimateText(estimate: Estimate | null): string {
  return estimate === null ? '-' : `${estimate.value.toFixed(3)} ${intervalText(estimate.interval)}`;
}

function noiseText(noise: Noise | null): string {
  if (noise === null) return 'A/A: not measured, so no ratios';
  const floor =
    noise.floor === null
      ? 'nothing is claimed'
      : `nothing within ${(100 * noise.floor).toFixed(1)} % is claimed`;
  return `A/A: ${estimateText(noise.ratio)}; ${floor}`;
}

function outside({ agentCpuMsPerRequest, bpfCpuMsPerRequest, nodeRssMb }: ComparedVariant): string {
  if (nodeRssMb === 0) return '-';
  return `${agentCpuMsPerRequest.toFixed(3)} + ${bpfCpuMsPerRequest?.toFixed(3) ?? '?'}`;
}

function intervalText(interval: readonly [number, number] | null): string {
  return interval === null ? '[too few rounds]' : `[${interval.map((end) => end.toFixed(3)).join(', ')}]`;
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
