/** Why a run says nothing: an agent that did not do its work costs little. Pure. */
import type { Exported } from './export-sink.ts';
import type { PushedWindows } from './pushed-windows.ts';
import type { VariantName } from './variants.ts';
import type { Window } from './window.ts';

/** What each agent handed over; undefined: it was not in this run. */
export interface Deliveries {
  readonly otel: ReadonlyMap<string, Exported> | undefined;
  readonly pyroscope: ReadonlyMap<string, Exported> | undefined;
  readonly recordingBytes: number | undefined;
  readonly flamegate: PushedWindows | undefined;
}

const MAX_ERROR_SHARE = 0.01;
const LEAST_OF_THE_RATE = 0.95;
const LEAST_RECORDING_BYTES = 16 * 1024; // an empty recording has its metadata only, about 8 KB

// agent             → did its work when
// OpenTelemetry     → traces came
// Pyroscope         → profiles came
// async-profiler    → its recording has more than a header
// Flamegate         → windows came, samples in them have names, and the BPF time is known
export function problemsOf(
  windows: readonly Window[],
  delivered: Deliveries,
  rate: number,
): readonly string[] {
  const { otel, pyroscope, recordingBytes, flamegate } = delivered;
  const silent: readonly [VariantName, boolean][] = [
    ['otel-java-agent', otel !== undefined && !hasBytes(otel, '/v1/traces')],
    ['pyroscope-java-agent', pyroscope !== undefined && !hasBytes(pyroscope, '/ingest')],
    ['async-profiler', recordingBytes !== undefined && recordingBytes < LEAST_RECORDING_BYTES],
    ['flamegate', flamegate !== undefined && flamegate.named === 0],
  ];
  return [
    ...silent.filter(([, isSilent]) => isSilent).map(([name]) => `${name} exported nothing`),
    ...starved(windows, rate),
    ...(windows.some(({ bpfCpuMs }) => bpfCpuMs === null) ? ['the kernel did not measure BPF programs'] : []),
  ];
}

function hasBytes(exported: ReadonlyMap<string, Exported>, path: string): boolean {
  return (exported.get(path)?.bytes ?? 0) > 0;
}

/** A load that was not served as asked for was not constant, and its windows cannot be compared. */
function starved(windows: readonly Window[], rate: number): readonly string[] {
  const bad = windows.filter(
    ({ requests, errors, achievedRate }) =>
      errors > MAX_ERROR_SHARE * requests || achievedRate < LEAST_OF_THE_RATE * rate,
  );
  if (bad.length === 0) return [];
  const names = [...new Set(bad.map(({ variant }) => variant))].join(', ');
  return [`the load was starved in ${bad.length} of ${windows.length} windows (${names})`];
}
