/**
 * Takes lists of numbers, and names, out of a batch's JSON, from its bytes. They are most of it: JSON.parse makes an array for each of
 * some thousand stacks and a string for each name, and all that is done with them is to check them and to look up what is known. Only
 * what agents write is read, `[[7,12],[],[3]]` and `["java.lang.Thread.run"]` without a blank, a sign, a fraction or an escape; of whatever
 * else it is, JSON.parse and the schema have to say what is wrong.
 */
import type { PackedLists } from '../../store/packed-lists.ts';
import type { PackedTexts } from '../../store/packed-texts.ts';

export interface Taken<T> extends Span {
  readonly taken: T;
}

/** Bytes of the JSON: what is between the brackets of a list. */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

export interface Bounds {
  readonly most: number;
  /** Of one: its numbers, or its bytes. */
  readonly longest: number;
}

const [QUOTE, COMMA, ZERO, OPEN, BACKSLASH, CLOSE] = [0x22, 0x2c, 0x30, 0x5b, 0x5c, 0x5d];
const FIRST_PLAIN = 0x20; // what is below it, JSON has only escaped
const MOST_DIGITS = 9; // what so many say fits into 32 bits

/** Under the first such key; undefined: they are not there, or not as agents write them. */
export function takeLists(json: Buffer, key: string, bounds: Bounds): Taken<PackedLists> | undefined {
  const span = find(json, key, '[', ']]');
  const taken = span && listsIn(json.subarray(span.begin, span.end), bounds);
  return taken && { taken, ...span };
}

/** As takeLists. */
export function takeTexts(json: Buffer, key: string, bounds: Bounds): Taken<PackedTexts> | undefined {
  const span = find(json, key, '"', '"]');
  const taken = span && textsIn(json.subarray(span.begin, span.end), bounds);
  return taken && { taken, ...span };
}

/** The JSON without what was taken, but for the brackets. */
export function without(json: Buffer, spans: readonly Span[]): Buffer {
  const inOrder = spans.toSorted((a, b) => a.begin - b.begin);
  const begins = [0, ...inOrder.map(({ end }) => end)];
  return Buffer.concat(begins.map((begin, index) => json.subarray(begin, inOrder[index]?.begin)));
}

/** Neither bracket can be within an element, if they are what they are to be. */
function find(json: Buffer, key: string, first: string, last: string): Span | undefined {
  const head = `"${key}":[`;
  const at = json.indexOf(head + first);
  if (at < 0) return undefined;
  const begin = at + head.length;
  const end = json.indexOf(last, begin);
  return end < 0 ? undefined : { begin, end: end + last.length - 1 };
}

/** Of `[7,12],[],[3]`. */
function listsIn(json: Buffer, { longest, most }: Bounds): PackedLists | undefined {
  const numbers = new Uint32Array(json.length >> 1); // each has a digit, and something after it
  const ends: number[] = [];
  const read = { at: 0, size: 0 };
  for (; ; read.at++) {
    if (!readList(json, numbers, read, longest) || ends.push(read.size) > most) return undefined;
    if (read.at === json.length) break;
    if (json[read.at] !== COMMA) return undefined;
  }
  return { numbers: numbers.subarray(0, read.size), ends: Uint32Array.from(ends) };
}

/** From where it is in the JSON, and to where it is in the numbers. False: it is not there, or is too long. */
function readList(
  json: Buffer,
  numbers: Uint32Array,
  read: { at: number; size: number },
  longest: number,
): boolean {
  let { at, size } = read;
  if (json[at++] !== OPEN) return false;
  if (json[at] === CLOSE) {
    read.at = at + 1;
    return true;
  }
  do {
    const begin = at;
    let digit = (json[at] ?? 0) - ZERO;
    let number = 0;
    while (digit >= 0 && digit <= 9 && at - begin < MOST_DIGITS) {
      number = (10 * number + digit) | 0;
      digit = (json[++at] ?? 0) - ZERO;
    }
    const isNumber = at > begin && (json[begin] !== ZERO || at === begin + 1);
    if (!isNumber || size === read.size + longest) return false;
    numbers[size++] = number;
  } while (json[at++] === COMMA);
  [read.at, read.size] = [at, size];
  return json[at - 1] === CLOSE;
}

/** Of `"run","handle"`. */
function textsIn(json: Buffer, { longest, most }: Bounds): PackedTexts | undefined {
  const [begins, ends]: [number[], number[]] = [[], []];
  const { length } = json;
  for (let at = 0; ; at++) {
    if (json[at++] !== QUOTE) return undefined;
    const begin = at;
    for (let byte = json[at] ?? 0; byte !== QUOTE; byte = json[++at] ?? 0) {
      if (byte < FIRST_PLAIN || byte === BACKSLASH) return undefined; // also at the end of all
    }
    begins.push(begin);
    if (ends.push(at++) > most || at - 1 - begin > longest) return undefined;
    if (at === length) return { bytes: json, begins: Uint32Array.from(begins), ends: Uint32Array.from(ends) };
    if (json[at] !== COMMA) return undefined;
  }
}
