/** Prometheus' remote write 1.0 (prometheus.io/docs/specs/prw/remote_write_spec): one packed WriteRequest a post. */
import type { SinkAddress } from '../wire/sinks.ts';
import type { Answer } from './delivery.ts';
import { postToSink } from './post-to-sink.ts';

export interface RemoteWriteOptions {
  readonly address: SinkAddress;
  readonly credentialsDirectory: string;
}

export const REMOTE_WRITE_LIMITS = {
  mostQueued: 64,
  mostQueuedBytes: 2 * 1024 * 1024, // of the agent's memory
  mostAtOnce: 1,
  mostBytesAtOnce: 1,
  worthMs: 5 * 60_000, // what is graphed as a gap is no longer worth the memory
} as const;

/** `request`: in snappy's block format. */
export function writeRemotely(
  { address, credentialsDirectory }: RemoteWriteOptions,
  request: Uint8Array,
  signal: AbortSignal,
): Promise<Answer> {
  const headers = {
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '0.1.0',
  };
  return postToSink({ address, credentialsDirectory, path: '', headers, body: request }, signal);
}
