/**
 * OTLP/HTTP with protobuf (opentelemetry.io/docs/specs/otlp): a POST for each request, packed. One that the other end takes in part
 * counts as refused, for it is not sent again.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { PbfReader } from 'pbf';
import type { SinkAddress } from '../wire/sinks.ts';
import type { Answer } from './delivery.ts';
import { postToSink } from './post-to-sink.ts';

export interface OtlpOptions {
  readonly address: SinkAddress;
  readonly credentialsDirectory: string;
}

export type OtlpSignal = keyof typeof PATHS;

/** Below an endpoint, as exporters of OpenTelemetry's SDKs have them. */
const PATHS = { profiles: 'v1development/profiles', metrics: 'v1/metrics' } as const;

export const OTLP_PROFILES_LIMITS = {
  mostQueued: 512, // a profile of each container that a node may have
  mostQueuedBytes: 4 * 1024 * 1024, // of the agent's memory
  mostAtOnce: 1,
  mostBytesAtOnce: 1,
  worthMs: 15 * 60_000,
} as const;

export const OTLP_METRICS_LIMITS = {
  mostQueued: 64,
  mostQueuedBytes: 2 * 1024 * 1024,
  mostAtOnce: 1,
  mostBytesAtOnce: 1,
  worthMs: 5 * 60_000, // what is graphed as a gap is no longer worth the memory
} as const;

const pack = promisify(gzip);

/** What waits to be sent. */
export const packedForOtlp = (request: Uint8Array): Promise<Uint8Array> => pack(request);

/** `request`: gzipped. */
export function sendByOtlp(
  { address, credentialsDirectory }: OtlpOptions,
  signalName: OtlpSignal,
  request: Uint8Array,
  signal: AbortSignal,
): Promise<Answer> {
  const headers = {
    ...{ 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' },
    // of profiles.proto, as otlp-profile.ts has it: a collector of another refuses it, instead of reading something else
    ...(signalName === 'profiles' ? { 'otlp-profiles-development-version': '1' } : {}),
  };
  const to = { address, credentialsDirectory, path: PATHS[signalName], headers, body: request };
  return postToSink({ ...to, isRefusal }, signal);
}

/** Of any signal: `partial_success.rejected_…`, which are the first fields of both. */
function isRefusal(answer: Uint8Array): boolean {
  try {
    return new PbfReader(answer).readFields(readAnswer, { rejected: 0 }).rejected > 0;
  } catch {
    return false; // no protobuf: the status says that it was taken
  }
}

function readAnswer(field: number, answer: { rejected: number }, from: PbfReader): void {
  if (field === 1) from.readMessage(readPartialSuccess, answer);
}

function readPartialSuccess(field: number, answer: { rejected: number }, from: PbfReader): void {
  if (field === 1) answer.rejected = from.readVarint();
}
