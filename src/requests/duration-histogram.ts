/**
 * Durations since a series began, in the buckets of both of Prometheus's kinds of histogram. They are counted in them from the
 * start: buckets of a sketch that were dealt out to these would add the sketch's error to theirs (docs/adr/0016).
 */
import { SlowestTraced } from './slowest-traced.ts';

/** Bucket `index` of a native histogram holds durations above b^(index − 1) and up to b^index, b being 2^(2^−SCHEMA). */
export const SCHEMA = 5; // buckets 2.2 % wide; those of the sketch are 2.0 %
const PER_OCTAVE = 2 ** SCHEMA;

/** OpenTelemetry's metrics are in seconds, those of RPC in milliseconds: buckets of one are not buckets of the other. */
export type DurationUnit = 's' | 'ms';

interface Scale {
  /** Upper bounds of a classic histogram, as OpenTelemetry has them for http.server.request.duration. */
  readonly bounds: readonly number[];
  /** As a LatencySketch: what is shorter than a microsecond, or no number, counts as one; longer than 68 minutes as that. */
  readonly lowest: number;
  readonly highest: number;
}

const BOUNDS_MS = [5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000];
const SCALES: Readonly<Record<DurationUnit, Scale>> = {
  s: {
    bounds: BOUNDS_MS.map((bound) => bound / 1_000),
    lowest: -20 * PER_OCTAVE,
    highest: 12 * PER_OCTAVE,
  },
  ms: { bounds: BOUNDS_MS, lowest: -10 * PER_OCTAVE, highest: 22 * PER_OCTAVE },
};

export class DurationHistogram {
  /** By classic bucket, not cumulative; the last holds what is longer than all bounds. */
  readonly classic: Float64Array;
  /** An exemplar, for who adds a duration may know its trace. */
  readonly slowest = new SlowestTraced();
  readonly #scale: Scale;
  #count = 0;
  #sum = 0;
  /** Whole octaves around what was seen: latencies of one route span three to ten of the 32. */
  #native: Uint32Array | Float64Array = new Uint32Array(0);
  #first = 0;

  constructor(unit: DurationUnit) {
    this.#scale = SCALES[unit];
    this.classic = new Float64Array(this.#scale.bounds.length + 1);
  }

  /** Of the classic buckets, in its unit. */
  get bounds(): readonly number[] {
    return this.#scale.bounds;
  }

  get count(): number {
    return this.#count;
  }

  /** In its unit. */
  get sum(): number {
    return this.#sum;
  }

  /** In its unit. */
  add(duration: number): void {
    this.#raise(indexOf(duration, this.#scale), 1);
    const at = this.classicBucketOf(duration);
    this.classic[at] = (this.classic[at] ?? 0) + 1;
    this.#count += 1;
    if (duration > 0) this.#sum += duration;
  }

  /** What another series of the same unit counted is counted here from now on. */
  addAll(other: DurationHistogram): void {
    other.eachNative((index, count) => this.#raise(index, count));
    for (const [at, count] of other.classic.entries()) this.classic[at] = (this.classic[at] ?? 0) + count;
    this.slowest.addAll(other.slowest);
    this.#count += other.#count;
    this.#sum += other.#sum;
  }

  /** In `classic`. */
  classicBucketOf(duration: number): number {
    const { bounds } = this.#scale;
    for (let at = 0; at < bounds.length; at++) if (!(duration > (bounds[at] ?? 0))) return at;
    return bounds.length;
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

function indexOf(duration: number, { lowest, highest }: Scale): number {
  if (!(duration > 0)) return lowest; // also what is not a number
  return Math.min(highest, Math.max(lowest, Math.ceil(Math.log2(duration) * PER_OCTAVE)));
}
