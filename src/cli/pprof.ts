/**
 * A pprof profile as stacks (github.com/google/pprof/blob/main/proto/profile.proto), which every profiler writes. Read by hand: a
 * file may be cut anywhere or lie about its lengths, and whatever is not within the bytes there are is refused.
 */
import { placeText } from '../profile/place.ts';
import type { StackCount } from '../profile/stack-counts.ts';
import { ProtobufReader } from './protobuf-reader.ts';

export class PprofError extends Error {
  readonly code = 'PPROF_INVALID';
  override readonly name = 'PprofError';
}

export interface PprofProfile {
  /** What it counts: "samples count", "cpu nanoseconds". */
  readonly types: readonly string[];
  /** Of the type that is shown by default, unless it says otherwise the last. */
  readonly defaultType: string;
  /** What one sample is worth, in the unit of that type; undefined where that is not said. */
  readonly period: { readonly type: string; readonly value: number } | undefined;
  /** Of one type. Throws a PprofError. */
  stacks(type: string): StackCount[];
}

interface Sample {
  readonly locations: readonly number[];
  readonly values: readonly number[];
}

interface Line {
  readonly fn: number;
  readonly line: number;
}

interface Raw {
  readonly types: [number, number][];
  readonly samples: Sample[];
  readonly locations: Map<number, { readonly address: number; readonly lines: readonly Line[] }>;
  readonly functions: Map<number, { readonly name: number; readonly file: number }>;
  readonly strings: string[];
  period: number;
  periodType: [number, number] | undefined;
  defaultType: number;
}

const MAX_FRAMES = 65_536;

/** Of inflated bytes. Throws a PprofError. */
export function parsePprof(bytes: Uint8Array): PprofProfile {
  const raw = readProfile(bytes);
  const text = (index: number): string => raw.strings[index] ?? '';
  const typeName = ([type, unit]: readonly [number, number]): string => `${text(type)} ${text(unit)}`;
  const types = raw.types.map(typeName);
  const last = types.at(-1);
  if (last === undefined) throw new PprofError('it has no sample type: this is no pprof profile');
  const named = types.find((type) => raw.defaultType !== 0 && type.startsWith(`${text(raw.defaultType)} `));
  const period =
    raw.periodType === undefined || raw.period <= 0
      ? undefined
      : { type: typeName(raw.periodType), value: raw.period };
  return {
    ...{ types, period, defaultType: named ?? last },
    stacks: (type) => stacksOf(raw, types.indexOf(type)),
  };
}

function stacksOf(raw: Raw, type: number): StackCount[] {
  const known = new Map<number, readonly [string, string][]>();
  const framesOf = (id: number): readonly [string, string][] => {
    const frames = known.get(id) ?? framesAt(raw, id);
    known.set(id, frames);
    return frames;
  };
  return raw.samples.flatMap(({ locations, values }) => {
    const count = values[type];
    if (count === undefined)
      throw new PprofError(`a sample has ${values.length} values for ${raw.types.length} types`);
    if (count < 0) throw new PprofError(`a sample counts ${count}: it may be the difference of two profiles`);
    if (count === 0) return [];
    const frames: (readonly [string, string])[] = [];
    for (const id of locations) {
      const inlined = framesOf(id);
      // Asked before they are put together: a location with a million lines may be a million times in a stack.
      if (frames.length + inlined.length > MAX_FRAMES)
        throw new PprofError(`a stack of more than ${MAX_FRAMES} frames`);
      frames.push(...inlined);
    }
    return [{ frames: frames.map(([name]) => name), places: frames.map(([, place]) => place), count }];
  });
}

/** Inlined calls come first, as ours: the last is who called them. */
function framesAt(raw: Raw, id: number): readonly [string, string][] {
  const location = raw.locations.get(id);
  if (location === undefined) throw new PprofError(`a sample is at location ${id}, which is not there`);
  const frames = location.lines.map(({ fn, line }): [string, string] => {
    const of = raw.functions.get(fn);
    const name = raw.strings[of?.name ?? 0] || `[function ${fn}]`;
    const file = (raw.strings[of?.file ?? 0] ?? '').split('/').at(-1);
    return [name, placeText(file, line)];
  });
  return frames.length > 0 ? frames : [[`0x${location.address.toString(16)}`, '']];
}

function readProfile(bytes: Uint8Array): Raw {
  const raw: Raw = {
    ...{ types: [], samples: [], locations: new Map(), functions: new Map(), strings: [] },
    ...{ period: 0, periodType: undefined, defaultType: 0 },
  };
  try {
    new ProtobufReader(bytes).fields((field, reader) => readField(raw, field, reader));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PprofError(`it is cut, or no pprof profile: ${why}`, { cause });
  }
  return raw;
}

function readField(raw: Raw, field: number, reader: ProtobufReader): void {
  switch (field) {
    case 1:
      raw.types.push(valueType(reader.message()));
      break;
    case 2:
      raw.samples.push(sample(reader.message()));
      break;
    case 4:
      readLocation(raw, reader.message());
      break;
    case 5:
      readFunction(raw, reader.message());
      break;
    case 6:
      raw.strings.push(reader.text());
      break;
    case 11:
      raw.periodType = valueType(reader.message());
      break;
    case 12:
      raw.period = reader.int64();
      break;
    case 14:
      raw.defaultType = reader.int64();
      break;
    default:
      reader.skip();
  }
}

function valueType(reader: ProtobufReader): [number, number] {
  const type: [number, number] = [0, 0];
  reader.fields((field) => {
    if (field === 1) type[0] = reader.int64();
    else if (field === 2) type[1] = reader.int64();
    else reader.skip();
  });
  return type;
}

function sample(reader: ProtobufReader): Sample {
  const locations: number[] = [];
  const values: number[] = [];
  reader.fields((field) => {
    if (field === 1) reader.int64s(locations);
    else if (field === 2) reader.int64s(values);
    else reader.skip();
  });
  return { locations, values };
}

function readLocation(raw: Raw, reader: ProtobufReader): void {
  let [id, address] = [0, 0];
  const lines: Line[] = [];
  reader.fields((field) => {
    if (field === 1) id = reader.int64();
    else if (field === 3) address = reader.int64();
    else if (field === 4) lines.push(lineOf(reader.message()));
    else reader.skip();
  });
  raw.locations.set(id, { address, lines });
}

function lineOf(reader: ProtobufReader): Line {
  let [fn, line] = [0, 0];
  reader.fields((field) => {
    if (field === 1) fn = reader.int64();
    else if (field === 2) line = reader.int64();
    else reader.skip();
  });
  return { fn, line };
}

function readFunction(raw: Raw, reader: ProtobufReader): void {
  let [id, name, file] = [0, 0, 0];
  reader.fields((field) => {
    if (field === 1) id = reader.int64();
    else if (field === 2) name = reader.int64();
    else if (field === 4) file = reader.int64();
    else reader.skip();
  });
  raw.functions.set(id, { name, file });
}
