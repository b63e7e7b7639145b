/**
 * Pyroscope's push API: `push.v1.PusherService/Push` (github.com/grafana/pyroscope/api, push/v1/push.proto), unary of the Connect
 * protocol with protobuf: a plain POST, and a third less than JSON with base64.
 */
import { PbfWriter } from 'pbf';
import type { SinkAddress } from '../wire/sinks.ts';
import type { Answer } from './delivery.ts';
import { postToSink } from './post-to-sink.ts';

/** One profile of one container. */
export interface PushedProfile {
  readonly labels: ProfileLabels;
  /** pprof, gzipped. */
  readonly pprof: Uint8Array;
  /** A UUID: who gets it twice may know. */
  readonly id: string;
}

export type ProfileLabels = Readonly<Record<string, string>>;

// Pyroscope's defaults: -validation.max-label-names-per-series 30, max-length-label-value 2,048; more is refused.
const MOST_LABELS = 30;
const LONGEST_VALUE = 2_048;
const PATH = 'push.v1.PusherService/Push';

export const PYROSCOPE_LIMITS = {
  mostQueued: 512, // a profile of each container that a node may have
  mostQueuedBytes: 4 * 1024 * 1024, // of the agent's memory
  mostAtOnce: 32,
  mostBytesAtOnce: 1024 * 1024, // a burst of 2 MB is taken by default, and proxies take 1 MB
  worthMs: 15 * 60_000, // an hour is taken by default; a dashboard is looked at sooner
} as const;

export interface PyroscopeOptions {
  readonly address: SinkAddress;
  readonly credentialsDirectory: string;
}

export function pushProfiles(
  { address, credentialsDirectory }: PyroscopeOptions,
  profiles: readonly PushedProfile[],
  signal: AbortSignal,
): Promise<Answer> {
  const to = new PbfWriter();
  for (const profile of profiles) to.writeMessage(1, writeSeries, profile);
  const headers = { 'content-type': 'application/proto', 'connect-protocol-version': '1' };
  return postToSink({ address, credentialsDirectory, path: PATH, headers, body: to.finish() }, signal);
}

function writeSeries(profile: PushedProfile, to: PbfWriter): void {
  const labels = Object.entries(profile.labels).slice(0, MOST_LABELS);
  for (const [name, value] of labels.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    to.writeMessage(1, writePair, [name, value.slice(0, LONGEST_VALUE)]);
  }
  to.writeMessage(2, writeSample, profile);
}

function writePair([name, value]: readonly [string, string], to: PbfWriter): void {
  to.writeStringField(1, name);
  to.writeStringField(2, value);
}

function writeSample({ pprof, id }: PushedProfile, to: PbfWriter): void {
  to.writeBytesField(1, pprof);
  to.writeStringField(2, id);
}
