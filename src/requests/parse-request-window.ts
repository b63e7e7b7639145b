/** Requests of a window as they come from a wire, a file or a database. */
import { countOf, type PackedSketch, problemOfSketch } from './latency-sketch.ts';
import { MOST_ROWS, type RequestWindow, type RouteWindow, type StatusCounts } from './request-window.ts';

export const LONGEST_METHOD = 16;
/** Eight words of forty characters and their slashes; a user's pattern may be as long. */
export const LONGEST_ROUTE = 512;
export const LONGEST_REASON = 64;
export const LONGEST_MESSAGE = 256;
/** A pod that answers 400 million requests in a window is none. */
export const MOST_REQUESTS = 0xffff_ffff;

/** What the types of a window's fields do not say: each row once, sketches that hold what was counted. */
export function problemOfRequests({ state, routes }: RequestWindow): string | undefined {
  if (state === 'NotObservable' && routes.length > 0) return 'requests that cannot be seen';
  const seen = new Set<string>();
  for (const [at, row] of routes.entries()) {
    const key = `${row.method} ${row.route}`;
    if (seen.has(key)) return `routes/${at}: ${key} twice`;
    seen.add(key);
    const problem = problemOfRow(row);
    if (problem !== undefined) return `routes/${at}: ${problem}`;
  }
  return undefined;
}

function problemOfRow({ answers, clientGone, unfinished, reset, latency, waited }: RouteWindow) {
  const problem = problemOfSketch(latency) ?? problemOfSketch(waited);
  if (problem !== undefined) return problem;
  const answered = answers.slice(0, 5).reduce((sum, count) => sum + count, 0);
  if (countOf(latency) !== answered) return 'latencies of other requests than were answered';
  return countOf(waited) === clientGone + unfinished + reset
    ? undefined
    : 'waits of other requests than ended';
}

/** Throws a TypeError that names what is wrong. */
export function parseRequestWindow(json: unknown): RequestWindow {
  const doc = record(json, 'requests');
  const { state } = doc;
  if (state !== 'Seen' && state !== 'NotObservable') throw new TypeError('requests: state is unknown');
  const window = {
    state,
    reason: text(doc['reason'], 'reason', LONGEST_REASON),
    message: text(doc['message'], 'message', LONGEST_MESSAGE),
    lost: count(doc['lost'], 'lost'),
    routes: list(doc['routes'], 'routes', MOST_ROWS).map(parseRow),
  } as const;
  const problem = problemOfRequests(window);
  if (problem !== undefined) throw new TypeError(`requests: ${problem}`);
  return window;
}

function parseRow(json: unknown, index: number): RouteWindow {
  const at = `routes[${index}]`;
  const doc = record(json, at);
  return {
    method: text(doc['method'], `${at}.method`, LONGEST_METHOD),
    route: text(doc['route'], `${at}.route`, LONGEST_ROUTE),
    ...(doc['byPattern'] === true ? { byPattern: true as const } : {}),
    answers: parseAnswers(doc['answers'], `${at}.answers`),
    clientGone: count(doc['clientGone'], `${at}.clientGone`),
    unfinished: count(doc['unfinished'], `${at}.unfinished`),
    reset: count(doc['reset'], `${at}.reset`),
    latency: parseSketch(doc['latency'], `${at}.latency`),
    waited: parseSketch(doc['waited'], `${at}.waited`),
  };
}

function parseAnswers(json: unknown, at: string): StatusCounts {
  const [a, b, c, d, e, f] = list(json, at, 6).map((value) => count(value, at));
  if (a === undefined || b === undefined || c === undefined) throw new TypeError(`${at}: six counts`);
  if (d === undefined || e === undefined || f === undefined) throw new TypeError(`${at}: six counts`);
  return [a, b, c, d, e, f];
}

const MOST_NUMBERS = 2_204; // two for each bucket

const parseSketch = (json: unknown, at: string): PackedSketch =>
  list(json, at, MOST_NUMBERS).map((value) => count(value, at));

function record(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${at} is not an object`);
  }
  return { ...value };
}

function list(value: unknown, at: string, most: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > most) throw new TypeError(`${at}: no list of at most ${most}`);
  return value;
}

function text(value: unknown, at: string, longest: number): string {
  if (typeof value !== 'string' || value.length > longest) {
    throw new TypeError(`${at}: no string of at most ${longest} characters`);
  }
  return value;
}

function count(value: unknown, at: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MOST_REQUESTS) {
    throw new TypeError(`${at}: no count`);
  }
  return value;
}
