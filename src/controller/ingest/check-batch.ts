/** What makes parsed JSON a Batch: the schema, then what a schema cannot say. */
import { Ajv } from 'ajv';
import { problemOfRequests } from '../../requests/parse-request-window.ts';
import type { ReadBatch } from '../../store/batch-stack-ids.ts';
import { lengthOf, type PackedLists, packLists } from '../../store/packed-lists.ts';
import type { PackedTexts } from '../../store/packed-texts.ts';
import { Batch, WIRE_VERSION } from '../../wire/batch-schema.ts';
import { Refusal } from './refusal.ts';

// strict: a keyword that Ajv does not know is a mistake in the schema, found at start.
const isBatch = new Ajv({ strict: true }).compile<Batch>(Batch);

/** The longest window an agent makes is 120 s; anything much longer is a clock that jumped. */
const MAX_WINDOW_MS = 10 * 60_000;
/** Windows further ahead than this would be behind a gate's "now". */
const MAX_AHEAD_MS = 60_000;

/** Returns the batch, or throws the Refusal that names the first thing wrong with it. */
export function checkBatch(json: unknown): Batch {
  assertSchema(json);
  assertConsistent(json, {
    strings: json.strings.length,
    stacks: packLists(json.stacks),
    places: json.places && packLists(json.places),
  });
  return json;
}

export interface Apart {
  readonly strings: PackedTexts;
  readonly stacks: PackedLists;
  readonly places: PackedLists | undefined;
}

/** Of a batch out of which these were taken, within the bounds of the schema: it has empty lists instead. */
export function checkBatchApart(json: unknown, { strings, stacks, places }: Apart): ReadBatch {
  assertSchema(json);
  assertConsistent(json, { strings: strings.ends.length, stacks, places });
  return { ...json, strings, stacks, places: places ?? packLists([]) };
}

function assertSchema(json: unknown): asserts json is Batch {
  const version = typeof json === 'object' && json !== null && 'version' in json ? json.version : undefined;
  if (typeof version === 'number' && version !== WIRE_VERSION) {
    const sentence = `the batch has version ${version}; this controller reads version ${WIRE_VERSION}`;
    throw new Refusal(400, 'BATCH_VERSION_UNSUPPORTED', sentence);
  }
  if (isBatch(json)) return;
  const [first] = isBatch.errors ?? [];
  const at = first?.instancePath.slice(0, 128) || '/';
  throw new Refusal(400, 'BATCH_INVALID', `at ${at}: ${first?.message ?? 'does not match the schema'}`);
}

/** What pods and stacks refer to. */
interface Listed {
  readonly strings: number;
  readonly stacks: PackedLists;
  readonly places: PackedLists | undefined;
}

/** What a schema cannot say. */
function assertConsistent(batch: Batch, { places, stacks, strings }: Listed): void {
  assertTimes(batch);
  assertFrames(stacks, strings);
  if (places !== undefined) assertPlaces(places, stacks, strings);
  assertIndices(batch, stacks.ends.length);
  assertEachContainerOnce(batch);
  assertRequests(batch);
}

/**
 * Of a batch that is of the future by the controller's clock. Whose clock is wrong is not known, and the controller's may be right
 * again in a minute: the batch is to be kept, and sent again.
 */
export function refusalOfFuture({ endMs }: Pick<Batch, 'endMs'>, nowMs: number): Refusal | undefined {
  if (endMs <= nowMs + MAX_AHEAD_MS) return undefined;
  const sentence = `the window ends ${endMs - nowMs} ms ahead of the controller's clock; keep it until one of the clocks is right`;
  return new Refusal(503, 'BATCH_TIME_AHEAD', sentence, { headers: { 'retry-after': '30' } });
}

function assertTimes(batch: Batch): void {
  const { startMs, endMs } = batch;
  const wrong = (sentence: string) => new Refusal(400, 'BATCH_TIME_WRONG', sentence);
  if (startMs >= endMs || endMs - startMs > MAX_WINDOW_MS) {
    throw wrong(
      `the window from ${startMs} to ${endMs} lasts ${endMs - startMs} ms, not 1 to ${MAX_WINDOW_MS}`,
    );
  }
  const ahead = batch.pods.findIndex((pod) => pod.startedAtMs > endMs + MAX_AHEAD_MS);
  if (ahead >= 0) throw wrong(`/pods/${ahead}/startedAtMs is well after the end of the window`);
}

const inconsistent = (sentence: string): Refusal => new Refusal(400, 'BATCH_INCONSISTENT', sentence);

function assertFrames(stacks: PackedLists, strings: number): void {
  const at = firstAbove(strings - 1, stacks.numbers);
  if (at < 0) return;
  const index = stacks.ends.findIndex((end) => end > at);
  throw inconsistent(`a frame of /stacks/${index} is ${stacks.numbers[at]}, but there are only ${strings}`);
}

/** Where the first is that is larger, or -1. */
function firstAbove(largest: number, numbers: Uint32Array): number {
  for (let at = 0; at < numbers.length; at++) if ((numbers[at] ?? 0) > largest) return at;
  return -1;
}

function assertPlaces(places: PackedLists, stacks: PackedLists, strings: number): void {
  const [given, needed] = [places.ends.length, stacks.ends.length];
  if (given !== needed) throw inconsistent(`${given} places for ${needed} stacks`);
  for (let index = 0; index < given; index++) {
    const [length, frames] = [lengthOf(places, index), lengthOf(stacks, index)];
    if (length > 0 && length !== frames) {
      throw inconsistent(`/places/${index} has ${length} entries, its stack ${frames} frames`);
    }
  }
  const at = firstAbove(strings, places.numbers);
  if (at < 0) return;
  const index = places.ends.findIndex((end) => end > at);
  throw inconsistent(`an entry of /places/${index} is ${places.numbers[at]}, of ${strings} strings`);
}

function assertIndices({ pods }: Batch, stacks: number): void {
  const wrong = (at: string, index: number | undefined, size: number) =>
    inconsistent(`${at} is ${index}, but there are only ${size}`);
  for (const [index, pod] of pods.entries()) {
    const bad = pod.counts.find(([stack]) => stack >= stacks);
    if (bad !== undefined) throw wrong(`a stack of /pods/${index}/counts`, bad[0], stacks);
    for (const part of ['waiting', 'io'] as const) {
      const beyond = pod[part]?.counts.find(([stack]) => stack >= stacks);
      if (beyond !== undefined) throw wrong(`a stack of /pods/${index}/${part}/counts`, beyond[0], stacks);
    }
    const served = (pod.served?.rows ?? [])
      .flatMap((row) => [...row.samples, ...row.waited])
      .find(([stack]) => stack >= stacks);
    if (served !== undefined) throw wrong(`a stack of /pods/${index}/served`, served[0], stacks);
    const huge = pod.counts.find(([, count]) => count > 0xffff_ffff);
    if (huge !== undefined) throw wrong(`a count of /pods/${index}/counts`, huge[1], 0xffff_ffff);
  }
}

function assertEachContainerOnce(batch: Batch): void {
  const seen = new Set<string>();
  for (const { podUid, container } of batch.pods) {
    const key = `${podUid}/${container}`;
    if (seen.has(key)) {
      throw new Refusal(400, 'BATCH_INCONSISTENT', `container ${key} appears twice in one batch`);
    }
    seen.add(key);
  }
}

function assertRequests(batch: Batch): void {
  for (const [index, { requests }] of batch.pods.entries()) {
    const problem = requests && problemOfRequests(requests);
    if (problem !== undefined) {
      throw new Refusal(400, 'BATCH_INCONSISTENT', `/pods/${index}/requests: ${problem}`);
    }
  }
}
