/** One row of the window table: written from the wire, read in the form src/detect judges. */
import type { DatabaseSync } from 'node:sqlite';
import type { JavaSamples } from '../profile/java-samples.ts';
import { type SharedStack, SharedStacks } from '../profile/shared-stacks.ts';
import { parseRequestWindow } from '../requests/parse-request-window.ts';
import type { RequestWindow } from '../requests/request-window.ts';
import type { PodWindow } from '../wire/batch-schema.ts';
import type { ReadBatch, StackIds } from './batch-stack-ids.ts';
import { decodeIds, type Interner } from './interning.ts';

/** What one container burnt in one closed window, in the form src/detect judges. */
export interface StoredWindow {
  /** `podUid/container`. */
  readonly pod: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly podStartedAtMs: number;
  /** Those that became stacks. */
  readonly samplesTaken: number;
  readonly samplesLost: number;
  readonly hz: number;
  readonly cpuUsec: number;
  readonly throttledUsec: number;
  /** Profiling flags of the JVM, '' when default. */
  readonly flags: string;
  /** Absent from windows of before it was kept. */
  readonly host?: StoredHost;
  readonly stacks: SharedStacks;
  /** Absent when nobody looked. */
  readonly java?: JavaSamples;
  /** Absent when nobody watched them. */
  readonly requests?: RequestWindow;
}

/** Where a container ran. */
export interface StoredHost {
  readonly pod: string;
  readonly node: string;
  /** '' where the agent does not say. */
  readonly cpuModel: string;
}

/** Returns a function that stores one window and says whether it was new. */
export function windowWriter(
  db: DatabaseSync,
): (batch: ReadBatch, pod: PodWindow, idOf: StackIds) => boolean {
  const insert = db.prepare(
    `INSERT INTO window (podUid, container, startMs, endMs, podStartedAtMs, hz, samples, lost, cpuUsec,
       throttledUsec, flags, counts, requests, javaSamples, interpretedSamples, host)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16
     WHERE NOT EXISTS (SELECT 1 FROM window WHERE podUid = ?1 AND container = ?2 AND startMs = ?3)`,
  );
  return (batch, pod, idOf) => {
    const { changes } = insert.run(
      pod.podUid,
      pod.container,
      batch.startMs,
      batch.endMs,
      pod.startedAtMs,
      pod.hz,
      pod.samples - samplesLost(pod),
      samplesLost(pod),
      pod.cpuUsec,
      pod.throttledUsec,
      pod.jvm.flags.toSorted().join(' '),
      encodeCounts(pod.counts, idOf),
      pod.requests === undefined ? null : JSON.stringify(pod.requests),
      pod.java?.samples ?? null,
      pod.java?.interpreted ?? null,
      JSON.stringify([pod.pod, batch.node, batch.cpuModel ?? '']),
    );
    return changes > 0;
  };
}

/** Of a row of the table. A stack that is no longer there counts as lost samples. */
export function decodeWindow(row: Readonly<Record<string, unknown>>, names: Interner): StoredWindow {
  const { stacks, unreadable } = decodeCounts(row['counts'], names);
  return {
    pod: `${String(row['podUid'])}/${String(row['container'])}`,
    startMs: Number(row['startMs']),
    endMs: Number(row['endMs']),
    podStartedAtMs: Number(row['podStartedAtMs']),
    samplesTaken: Number(row['samples']),
    samplesLost: Number(row['lost']) + unreadable,
    hz: Number(row['hz']),
    cpuUsec: Number(row['cpuUsec']),
    throttledUsec: Number(row['throttledUsec']),
    flags: String(row['flags']),
    ...hostIn(row['host']),
    stacks,
    ...javaIn(row),
    ...(typeof row['requests'] === 'string' ? requestsIn(row['requests']) : {}),
  };
}

function encodeCounts(counts: PodWindow['counts'], idOf: StackIds): Uint8Array {
  const pairs = new Uint32Array(2 * counts.length);
  let size = 0;
  for (const [stack, count] of counts) {
    pairs[size++] = idOf(stack);
    pairs[size++] = count;
  }
  return new Uint8Array(pairs.buffer);
}

function decodeCounts(bytes: unknown, names: Interner): { stacks: SharedStacks; unreadable: number } {
  const pairs = bytes instanceof Uint8Array ? decodeIds(bytes) : [];
  const stacks: SharedStack[] = [];
  const counts = new Uint32Array(pairs.length >> 1);
  let unreadable = 0;
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const count = pairs[index + 1] ?? 0;
    const stack = names.stackOf(pairs[index] ?? 0);
    if (stack === undefined) unreadable += count;
    else counts[stacks.push(stack) - 1] = count;
  }
  return { stacks: new SharedStacks(names.source(), stacks, counts.subarray(0, stacks.length)), unreadable };
}

function hostIn(text: unknown): Pick<StoredWindow, 'host'> {
  if (typeof text !== 'string') return {};
  const [pod = '', node = '', cpuModel = ''] = JSON.parse(text) as string[];
  return { host: { pod, node, cpuModel } };
}

const javaIn = ({
  javaSamples: samples,
  interpretedSamples: interpreted,
}: Readonly<Record<string, unknown>>) =>
  typeof samples === 'number' && typeof interpreted === 'number' ? { java: { samples, interpreted } } : {};

/** It was checked when it came in. */
const requestsIn = (text: string): Pick<StoredWindow, 'requests'> => ({
  requests: parseRequestWindow(JSON.parse(text)),
});

/**
 * An agent sends no stacks of pods no gate compares: such a window would look like a pod without code. And a
 * container without a JVM (a sidecar nobody excluded) is no arm of anything.
 */
export const windowIsOfUse = (pod: PodWindow): boolean =>
  pod.jvm.state !== 'NoJvm' && (pod.counts.length > 0 || pod.samples <= samplesLost(pod));

/** Samples of which nothing is left. A stack without a user frame, or cut, or unnamed is still among the counts. */
const samplesLost = ({ samples, losses }: PodWindow): number =>
  Math.min(samples, losses.ringFull + losses.tableFull);
