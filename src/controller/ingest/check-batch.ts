/** What makes parsed JSON a Batch: the schema, then what a schema cannot say. */
import { Ajv } from 'ajv';
import { problemOfRequests } from '../../requests/parse-request-window.ts';
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
  const version = typeof json === 'object' && json !== null && 'version' in json ? json.version : undefined;
  if (typeof version === 'number' && version !== WIRE_VERSION) {
    const sentence = `the batch has version ${version}; this controller reads version ${WIRE_VERSION}`;
    throw new Refusal(400, 'BATCH_VERSION_UNSUPPORTED', sentence);
  }
  if (!isBatch(json)) {
    const [first] = isBatch.errors ?? [];
    const at = first?.instancePath.slice(0, 128) || '/';
    throw new Refusal(400, 'BATCH_INVALID', `at ${at}: ${first?.message ?? 'does not match the schema'}`);
  }
  assertTimes(json);
  assertIndices(json);
  assertEachContainerOnce(json);
  assertRequests(json);
  return json;
}

/**
 * Of a batch that is of the future by the controller's clock. Whose clock is wrong is not known, and the controller's may be right
 * again in a minute: the batch is to be kept, and sent again.
 */
export function refusalOfFuture({ endMs }: Batch, nowMs: number): Refusal | undefined {
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

function assertIndices(batch: Batch): void {
  const wrong = (at: string, index: number | undefined, size: number) =>
    new Refusal(400, 'BATCH_INCONSISTENT', `${at} is ${index}, but there are only ${size}`);
  for (const [index, stack] of batch.stacks.entries()) {
    const bad = stack.find((name) => name >= batch.strings.length);
    if (bad !== undefined) throw wrong(`a frame of /stacks/${index}`, bad, batch.strings.length);
  }
  assertPlaces(batch);
  for (const [index, pod] of batch.pods.entries()) {
    const bad = pod.counts.find(([stack]) => stack >= batch.stacks.length);
    if (bad !== undefined) throw wrong(`a stack of /pods/${index}/counts`, bad[0], batch.stacks.length);
    for (const part of ['waiting', 'io'] as const) {
      const beyond = pod[part]?.counts.find(([stack]) => stack >= batch.stacks.length);
      if (beyond !== undefined)
        throw wrong(`a stack of /pods/${index}/${part}/counts`, beyond[0], batch.stacks.length);
    }
    const served = (pod.served?.rows ?? [])
      .flatMap((row) => [...row.samples, ...row.waited])
      .find(([stack]) => stack >= batch.stacks.length);
    if (served !== undefined) throw wrong(`a stack of /pods/${index}/served`, served[0], batch.stacks.length);
    const huge = pod.counts.find(([, count]) => count > 0xffff_ffff);
    if (huge !== undefined) throw wrong(`a count of /pods/${index}/counts`, huge[1], 0xffff_ffff);
  }
}

function assertPlaces({ places, stacks, strings }: Batch): void {
  if (places === undefined) return;
  const wrong = (sentence: string) => new Refusal(400, 'BATCH_INCONSISTENT', sentence);
  if (places.length !== stacks.length) throw wrong(`${places.length} places for ${stacks.length} stacks`);
  for (const [index, ofStack] of places.entries()) {
    const frames = stacks[index]?.length ?? 0;
    if (ofStack.length > 0 && ofStack.length !== frames) {
      throw wrong(`/places/${index} has ${ofStack.length} entries, its stack ${frames} frames`);
    }
    const bad = ofStack.find((place) => place > strings.length);
    if (bad !== undefined)
      throw wrong(`an entry of /places/${index} is ${bad}, of ${strings.length} strings`);
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
