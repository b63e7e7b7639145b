/**
 * Durations since a series began, in the buckets of both of Prometheus's kinds of histogram. They are counted in them from the
 * start: buckets of a sketch that were dealt out to these would add the sketch's error to theirs (docs/adr/0016).
 */

/** Upper bounds in seconds of a classic histogram, as OpenTelemetry has them for http.server.request.duration. */
export const BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

/** Bucket `index` of a native histogram holds durations above b^(index − 1) and up to b^index seconds, b being 2^(2^−SCHEMA). */
export const SCHEMA = 5; // buckets 2.2 % wide; those of the sketch are 2.0 %
const PER_OCTAVE = 2 ** SCHEMA;
/** As a LatencySketch: what is shorter than a microsecond, or no number, counts as one; longer than 68 minutes as that. */
const LOWEST = -20 * PER_OCTAVE;
const HIGHEST = 12 * PER_OCTAVE;

export class DurationHistogram {
  /** By classic bucket, not cumulative; the last holds what is longer than all bounds. */
  readonly classic = new Float64Array(BOUNDS_S.length + 1);
  #count = 0;
  #sumSeconds = 0;
  /** Whole octaves around what was seen: latencies of one route span three to ten of the 32. */
  #native: Uint32Array | Float64Array = new Uint32Array(0);
  #first = 0;

  get count(): number {
    return this.#count;
  }

  get sumSeconds(): number {
    return this.#sumSeconds;
  }

  add(seconds: number): void {
    const index = indexOf(seconds);
    this.#raise(index, 1);
    const at = classicBucketOf(seconds);
    this.classic[at] = (this.classic[at] ?? 0) + 1;
    this.#count += 1;
    if (seconds > 0) this.#sumSeconds += seconds;
  }

  /** What another series counted is counted here from now on. */
  addAll(other: DurationHistogram): void {
    other.eachNative((index, count) => this.#raise(index, count));
    for (const [at, count] of other.classic.entries()) this.classic[at] = (this.classic[at] ?? 0) + count;
    this.#count += other.#count;
    this.#sumSeconds += other.#sumSeconds;
  }

  /** Calls `visit` for each native bucket that is not empty, the lowest first. */
  eachNative(visit: (index: number, count: number) => void): void {
    for (const [at, count] of this.#native.entries()) if (count > 0) visit(this.#first + at, count);
  }

  #raise(index: number, by: number): void {
    this.#cover(index);
    const at = index - this.#first;
    const count = (this.#native[at] ?? 0) + by;
    if (count > MOST_OF_32_BITS && this.#native instanceof Uint32Array) {
      this.#native = Float64Array.from(this.#native);
    }
    this.#native[at] = count;
  }

  #cover(index: number): void {
    const end = this.#first + this.#native.length;
    if (index >= this.#first && index < end) return;
    const isEmpty = this.#native.length === 0;
    const first = floorOctave(isEmpty ? index : Math.min(index, this.#first));
    const length = floorOctave((isEmpty ? index : Math.max(index, end - 1)) + PER_OCTAVE) - first;
    const wider = this.#native instanceof Uint32Array ? new Uint32Array(length) : new Float64Array(length);
    if (!isEmpty) wider.set(this.#native, this.#first - first);
    this.#native = wider;
    this.#first = first;
  }
}

/** One bucket gets there after five days of 10,000 requests a second. */
const MOST_OF_32_BITS = 0xffff_ffff;

const floorOctave = (index: number): number => Math.floor(index / PER_OCTAVE) * PER_OCTAVE;

function indexOf(seconds: number): number {
  if (!(seconds > 0)) return LOWEST; // also what is not a number
  return Math.min(HIGHEST, Math.max(LOWEST, Math.ceil(Math.log2(seconds) * PER_OCTAVE)));
}

function classicBucketOf(seconds: number): number {
  for (let at = 0; at < BOUNDS_S.length; at++) if (!(seconds > (BOUNDS_S[at] ?? 0))) return at;
  return BOUNDS_S.length;
}
