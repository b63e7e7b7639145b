/**
 * Windows of pods as lines of JSON: what the controller streams to a recorder, and what a recording holds.
 *
 * A stream (one HTTP answer, one file) is read from its first line on, because names and stacks are sent once:
 * `strings`, `stacks` and `places` of a line are appended to the stream's tables, and `counts` points into them.
 * ```
 * {"window":{"pod":"orders-7c…",…},"strings":["main","run","Run.kt:7"],"stacks":[[1,0]],"places":[[3,0]],"counts":[[0,7]]}
 * {"end":true,"windows":1}
 * ```
 * Stacks are leaf first. `places` is as src/wire/batch-schema.ts has it; streams of before it was there have none. The last line of an answer says how many windows it held, so that a cut one is noticed.
 */
import type { JavaSamples } from '../profile/java-samples.ts';
import { NOWHERE } from '../profile/place.ts';
import type { StackCount } from '../profile/stack-counts.ts';
import { parseRequestWindow } from '../requests/parse-request-window.ts';
import type { RequestWindow } from '../requests/request-window.ts';

/** One container of one pod in one window, with all that a later replay needs to judge it. */
export interface WindowMeta {
  /** "" when the controller no longer knows it, as for `jdk`. */
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly container: string;
  readonly startMs: number;
  readonly endMs: number;
  /** When the container started: endMs less this is its age. */
  readonly startedAtMs: number;
  readonly hz: number;
  readonly cpuUsec: number;
  readonly throttledUsec: number;
  readonly samples: number;
  readonly lost: number;
  /** Profiling flags of the JVM, "" when default. */
  readonly flags: string;
  readonly jdk: string;
  /** Of the node; absent where it is not known, and in recordings from before it was. */
  readonly cpuModel?: string;
  /** Absent when nobody looked, and in recordings from before that was possible. */
  readonly java?: JavaSamples;
}

export interface RecordedWindow {
  readonly meta: WindowMeta;
  readonly stacks: readonly StackCount[];
  /** Absent when nobody watched them, and in recordings from before that was possible. */
  readonly requests?: RequestWindow;
}

export type WindowLine =
  | { readonly kind: 'window'; readonly window: RecordedWindow }
  | { readonly kind: 'end'; readonly windows: number };

export class WindowLineError extends Error {
  readonly code = 'WINDOW_LINE_INVALID';
  override readonly name = 'WindowLineError';
}

// An hour of 100 pods shows some 50,000 distinct names and 500,000 stacks; a stream with ten times that is not one of ours.
const MAX_NAMES = 500_000;
const MAX_STACKS = 5_000_000;
const MAX_FRAMES = 2_048;

/** Writes the windows of one stream; each call returns one line with its line break. */
export function createWindowEncoder(): (window: RecordedWindow) => string {
  const names = new Map<string, number>();
  const stacks = new Map<string, number>();
  return ({ meta, stacks: counted, requests }) => {
    const newNames: string[] = [];
    const newStacks: number[][] = [];
    const newPlaces: number[][] = [];
    const indexOfName = (name: string): number => indexIn(names, name, () => newNames.push(name));
    const counts = counted.map(({ frames, places = [], count }) => {
      const ofFrames = frames.map(indexOfName);
      const ofPlaces = places.map((place) => (place === NOWHERE ? 0 : indexOfName(place) + 1));
      const key = `${ofFrames.join()}/${ofPlaces.join()}`;
      const index = indexIn(stacks, key, () => {
        newStacks.push(ofFrames);
        newPlaces.push(ofPlaces);
      });
      return [index, count];
    });
    const line = { window: meta, strings: newNames, stacks: newStacks, places: newPlaces, counts, requests };
    return `${JSON.stringify(line)}\n`;
  };
}

function indexIn(table: Map<string, number>, key: string, onNew: () => void): number {
  const known = table.get(key);
  if (known !== undefined) {
    return known;
  }
  table.set(key, table.size);
  onNew();
  return table.size - 1;
}

export const encodeEndLine = (windows: number): string => `${JSON.stringify({ end: true, windows })}\n`;

/** Reads the lines of one stream in order. Throws a WindowLineError that names what is wrong with a line. */
export function createWindowDecoder(): (line: string) => WindowLine {
  const names: string[] = [];
  const stacks: Omit<StackCount, 'count'>[] = [];
  const shared = new Map<string, readonly string[]>(); // by their indices: stacks at other places have the same frames
  return (line) => {
    const doc = record(parseJson(line), 'a line');
    if (doc['end'] === true) {
      return { kind: 'end', windows: integer(doc['windows'], 'windows') };
    }
    for (const name of list(doc['strings'], 'strings', MAX_NAMES - names.length)) {
      names.push(text(name, 'strings[]'));
    }
    const newStacks = list(doc['stacks'], 'stacks', MAX_STACKS - stacks.length);
    const newPlaces = list(doc['places'] ?? [], 'places', newStacks.length);
    for (const [i, indices] of newStacks.entries()) {
      const ofFrames = list(indices, 'stacks[]', MAX_FRAMES);
      const named = ofFrames.map((index) => at(names, index, 'strings'));
      const key = ofFrames.join();
      const frames = shared.get(key) ?? named;
      shared.set(key, frames);
      const places = list(newPlaces[i] ?? [], 'places[]', frames.length);
      stacks.push(places.length === 0 ? { frames } : { frames, places: placesOf(places, frames, names) });
    }
    const counted = list(doc['counts'], 'counts', MAX_STACKS).map((pair): StackCount => {
      const [index, count] = list(pair, 'counts[]', 2);
      return { ...at(stacks, index, 'stacks'), count: integer(count, 'counts[][1]') };
    });
    const meta = parseMeta(doc['window']);
    const requests = doc['requests'] === undefined ? {} : { requests: parseRequests(doc['requests']) };
    return { kind: 'window', window: { meta, stacks: counted, ...requests } };
  };
}

function placesOf(
  indices: readonly unknown[],
  frames: readonly string[],
  names: readonly string[],
): readonly string[] {
  if (indices.length !== frames.length) {
    throw new WindowLineError(
      `places[] has ${indices.length} entries for a stack of ${frames.length} frames`,
    );
  }
  return indices.map((index) =>
    index === 0 ? NOWHERE : at(names, integer(index, 'places[][]') - 1, 'strings'),
  );
}

function parseMeta(json: unknown): WindowMeta {
  const doc = record(json, 'window');
  return {
    node: text(doc['node'], 'node'),
    namespace: text(doc['namespace'], 'namespace'),
    pod: text(doc['pod'], 'pod'),
    podUid: text(doc['podUid'], 'podUid'),
    container: text(doc['container'], 'container'),
    startMs: integer(doc['startMs'], 'startMs'),
    endMs: integer(doc['endMs'], 'endMs'),
    startedAtMs: integer(doc['startedAtMs'], 'startedAtMs'),
    hz: integer(doc['hz'], 'hz'),
    cpuUsec: integer(doc['cpuUsec'], 'cpuUsec'),
    throttledUsec: integer(doc['throttledUsec'], 'throttledUsec'),
    samples: integer(doc['samples'], 'samples'),
    lost: integer(doc['lost'], 'lost'),
    flags: text(doc['flags'], 'flags'),
    jdk: text(doc['jdk'], 'jdk'),
    ...(doc['cpuModel'] === undefined ? {} : { cpuModel: text(doc['cpuModel'], 'cpuModel') }),
    ...(doc['java'] !== undefined && { java: parseJava(doc['java']) }),
  };
}

function parseJava(json: unknown): JavaSamples {
  const doc = record(json, 'java');
  return {
    samples: integer(doc['samples'], 'java.samples'),
    interpreted: integer(doc['interpreted'], 'java.interpreted'),
  };
}

function parseRequests(json: unknown): RequestWindow {
  try {
    return parseRequestWindow(json);
  } catch (cause) {
    throw new WindowLineError(String(cause), { cause });
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new WindowLineError(`not JSON: "${line.slice(0, 60)}"`, { cause });
  }
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new WindowLineError(`${name} is not an object`);
  }
  return { ...value };
}

function list(value: unknown, name: string, most: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > most) {
    throw new WindowLineError(`${name} is not a list of at most ${most}`);
  }
  return value;
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string') {
    throw new WindowLineError(`${name} is not a string`);
  }
  return value;
}

function integer(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new WindowLineError(`${name} is not a whole number`);
  }
  return value;
}

function at<T>(table: readonly T[], index: unknown, name: string): T {
  const found = table[integer(index, `an index into ${name}`)];
  if (found === undefined) {
    throw new WindowLineError(`${String(index)} points past the ${table.length} ${name} of the stream`);
  }
  return found;
}
