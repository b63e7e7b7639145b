/**
 * A profile in pprof's format (github.com/google/pprof, proto/profile.proto), written as its stacks come: names, functions and places
 * at their first sight, samples at once. Fields of protobuf may come in any order, and equal samples are summed by who reads them,
 * so that nothing is kept but what was told already.
 */
import { PbfWriter } from 'pbf';
import { parsePlace } from './place.ts';

export interface PprofFrame {
  readonly name: string;
  /** As src/profile/place.ts has it. */
  readonly place: string;
}

export interface PprofWriter {
  /** Leaf first. Where there is no room it is counted as one frame, so that the total stays. */
  add(frames: readonly PprofFrame[], count: number): void;
  /** Of all that was added. */
  readonly samples: number;
  /** Of them those without a stack of their own. */
  readonly withoutStack: number;
  /** The profile, not packed; it is not written to any more. */
  finish(time: { readonly startMs: number; readonly endMs: number }): Uint8Array;
}

export interface PprofLimits {
  readonly bytes: number;
  /** Distinct stacks. */
  readonly samples: number;
  readonly frames: number;
}

// Pyroscope's defaults: -validation.max-profile-size-bytes 4 MiB, not packed, max-profile-stacktrace-samples 16,000, -depth 1,000.
const OF_SERVERS: PprofLimits = { bytes: 3_500_000, samples: 15_999, frames: 1_000 }; // and one sample for the rest
const WITHOUT_STACK: readonly PprofFrame[] = [{ name: '[other]', place: '' }];
const CUT_OFF: PprofFrame = { name: '[truncated]', place: '' };

const PROFILE = {
  ...{ sampleType: 1, sample: 2, mapping: 3, location: 4, function: 5, string: 6 },
  ...{ timeNanos: 9, durationNanos: 10, periodType: 11, period: 12 },
} as const;

/** `periodNs`: what one sample stands for. */
export function createPprof(periodNs: number, limits = OF_SERVERS): PprofWriter {
  const to = new PbfWriter();
  const strings = new Map<string, number>();
  const functions = new Map<string, number>();
  const locations = new Map<string, number>();
  let written = 0;
  let samples = 0;
  let withoutStack = 0;

  const text = (value: string): number => {
    const known = strings.get(value);
    if (known !== undefined) return known;
    to.writeStringField(PROFILE.string, value);
    strings.set(value, strings.size);
    return strings.size - 1;
  };
  const functionOf = (name: string, file: string): number => {
    const key = `${name}\0${file}`;
    const known = functions.get(key);
    if (known !== undefined) return known;
    const id = functions.size + 1;
    functions.set(key, id);
    to.writeMessage(PROFILE.function, writeFunction, { id, name: text(name), file: text(file) });
    return id;
  };
  const locationOf = ({ name, place }: PprofFrame): number => {
    const key = `${name}\0${place}`;
    const known = locations.get(key);
    if (known !== undefined) return known;
    const { file = '', line = 0 } = parsePlace(place) ?? {};
    const functionId = functionOf(name, file);
    const id = locations.size + 1;
    locations.set(key, id);
    to.writeMessage(PROFILE.location, writeLocation, { id, functionId, line });
    return id;
  };
  const write = (frames: readonly PprofFrame[], count: number) => {
    const ids = frames.map(locationOf);
    to.writeMessage(PROFILE.sample, writeSample, { ids, value: count * periodNs });
    written += 1;
  };
  text(''); // by the format the first of all
  const type = { type: text('cpu'), unit: text('nanoseconds') };
  return {
    get samples() {
      return samples;
    },
    get withoutStack() {
      return withoutStack;
    },
    add(frames, count) {
      samples += count;
      if (written < limits.samples && to.pos < limits.bytes) write(withinBound(frames, limits.frames), count);
      else withoutStack += count;
    },
    finish({ startMs, endMs }) {
      if (withoutStack > 0) write(WITHOUT_STACK, withoutStack);
      to.writeMessage(PROFILE.sampleType, writeValueType, type);
      to.writeMessage(PROFILE.mapping, writeMapping, 1);
      to.writeVarintField(PROFILE.timeNanos, startMs * 1e6);
      to.writeVarintField(PROFILE.durationNanos, Math.max(0, endMs - startMs) * 1e6);
      to.writeMessage(PROFILE.periodType, writeValueType, type);
      to.writeVarintField(PROFILE.period, periodNs);
      return to.finish();
    },
  };
}

function withinBound(frames: readonly PprofFrame[], most: number): readonly PprofFrame[] {
  return frames.length <= most ? frames : [...frames.slice(0, most - 1), CUT_OFF];
}

function writeValueType({ type, unit }: { type: number; unit: number }, to: PbfWriter): void {
  to.writeVarintField(1, type);
  to.writeVarintField(2, unit);
}

function writeFunction({ id, name, file }: { id: number; name: number; file: number }, to: PbfWriter): void {
  to.writeVarintField(1, id);
  to.writeVarintField(2, name);
  to.writeVarintField(4, file);
}

interface Location {
  readonly id: number;
  readonly functionId: number;
  readonly line: number;
}

function writeLocation(location: Location, to: PbfWriter): void {
  to.writeVarintField(1, location.id);
  to.writeVarintField(2, 1); // the one mapping
  to.writeMessage(4, writeLine, location);
}

function writeLine({ functionId, line }: Location, to: PbfWriter): void {
  to.writeVarintField(1, functionId);
  to.writeVarintField(2, line);
}

function writeSample({ ids, value }: { ids: readonly number[]; value: number }, to: PbfWriter): void {
  to.writePackedVarint(1, [...ids]);
  to.writePackedVarint(2, [value]);
}

/** Says that there is nothing left to be named: else servers look for symbols of a file. */
function writeMapping(id: number, to: PbfWriter): void {
  to.writeVarintField(1, id);
  for (const has of [7, 8, 9, 10]) to.writeBooleanField(has, true); // functions, file names, line numbers, inlined frames
}
