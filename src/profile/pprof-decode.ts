/** Reads google/pprof's profile.proto of any tool; every byte of it may be a lie. */
import { PbfReader } from 'pbf';
import { NOWHERE, placeText } from './place.ts';
import { mergeStacks, type StackCount } from './stack-counts.ts';

export class PprofError extends Error {
  readonly code = 'PPROF_INVALID';
  override readonly name = 'PprofError';
}

export interface Pprof {
  /** Leaf first; what is equal is merged. */
  readonly stacks: readonly StackCount[];
  /** What was counted, as in the file: "samples/count", "cpu/nanoseconds", "alloc_space/bytes". */
  readonly type: string;
}

interface ValueType {
  readonly type: number;
  readonly unit: number;
}

interface Line {
  readonly inFunction: number;
  readonly line: number;
}

interface Location {
  id: number;
  address: number;
  /** The innermost of what was inlined comes first. */
  readonly lines: Line[];
}

interface NamedFunction {
  id: number;
  name: number;
  file: number;
}

const MAX_FRAMES = 20_000; // no stack is; with such depth a diff still takes seconds only
const MAX_ENTRIES = 4_000_000; // samples, locations, functions, strings each: ten times a large service's
const UNNAMED = '[unknown]';

/** `bytes`: not gzipped. Throws a PprofError with what is wrong. */
export function decodePprof(bytes: Uint8Array): Pprof {
  try {
    return profileOf(readTables(bytes));
  } catch (error) {
    if (error instanceof PprofError) throw error;
    // pbf's own errors, and what it does at a message's broken length
    throw new PprofError(`it is cut short, or no pprof profile: ${String(error)}`, { cause: error });
  }
}

interface Tables {
  readonly types: ValueType[];
  readonly samples: { readonly at: number[]; readonly values: number[] }[];
  readonly locations: Map<number, Location>;
  readonly functions: Map<number, NamedFunction>;
  readonly strings: string[];
  defaultType: number;
}

function readTables(bytes: Uint8Array): Tables {
  const tables: Tables = {
    types: [],
    samples: [],
    locations: new Map(),
    functions: new Map(),
    strings: [],
    defaultType: 0,
  };
  let entries = 0;
  new PbfReader(bytes).readFields((tag, _tables, pbf) => {
    if (++entries > MAX_ENTRIES) throw new PprofError(`more than ${MAX_ENTRIES} entries`);
    switch (tag) {
      case 1:
        tables.types.push(pbf.readMessage(readValueType, { type: 0, unit: 0 }));
        break;
      case 2:
        tables.samples.push(pbf.readMessage(readSample, { at: [], values: [] }));
        break;
      case 4: {
        const location = pbf.readMessage(readLocation, { id: 0, address: 0, lines: [] });
        tables.locations.set(location.id, location);
        break;
      }
      case 5: {
        const each = pbf.readMessage(readFunction, { id: 0, name: 0, file: 0 });
        tables.functions.set(each.id, each);
        break;
      }
      case 6:
        tables.strings.push(pbf.readString());
        break;
      case 14:
        tables.defaultType = pbf.readVarint();
        break;
    }
  }, undefined);
  return tables;
}

function readValueType(tag: number, value: { type: number; unit: number }, pbf: PbfReader): void {
  if (tag === 1) value.type = pbf.readVarint();
  if (tag === 2) value.unit = pbf.readVarint();
}

function readSample(tag: number, sample: { at: number[]; values: number[] }, pbf: PbfReader): void {
  if (tag === 1) pbf.readPackedVarint(sample.at);
  if (tag === 2) pbf.readPackedVarint(sample.values, true);
  if (sample.at.length > MAX_FRAMES) throw new PprofError(`a stack of more than ${MAX_FRAMES} frames`);
}

function readLocation(tag: number, location: Location, pbf: PbfReader): void {
  if (tag === 1) location.id = pbf.readVarint();
  if (tag === 3) location.address = pbf.readVarint();
  if (tag === 4) location.lines.push(pbf.readMessage(readLine, { inFunction: 0, line: 0 }));
  if (location.lines.length > MAX_FRAMES) throw new PprofError(`a location of more than ${MAX_FRAMES} lines`);
}

function readLine(tag: number, line: { inFunction: number; line: number }, pbf: PbfReader): void {
  if (tag === 1) line.inFunction = pbf.readVarint();
  if (tag === 2) line.line = pbf.readVarint(true);
}

function readFunction(tag: number, each: NamedFunction, pbf: PbfReader): void {
  if (tag === 1) each.id = pbf.readVarint();
  if (tag === 2) each.name = pbf.readVarint();
  if (tag === 4) each.file = pbf.readVarint();
}

function profileOf(tables: Tables): Pprof {
  if (tables.types.length === 0) throw new PprofError('it does not say what was sampled (sample_type)');
  const typeTexts = tables.types.map(({ type, unit }) => `${textOf(tables, type)}/${textOf(tables, unit)}`);
  const chosen = chosenType(tables, typeTexts);
  const frames = new Map<number, readonly Frame[]>();
  const framesAt = (id: number): readonly Frame[] => {
    const known = frames.get(id) ?? framesOf(tables, id);
    frames.set(id, known);
    return known;
  };
  const stacks = tables.samples.map(({ at, values }): StackCount => {
    const count = values[chosen] ?? 0;
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new PprofError(
        `a sample of ${count} ${typeTexts[chosen]}: not a whole number that can be counted`,
      );
    }
    const stack = at.flatMap(framesAt);
    if (stack.length > MAX_FRAMES) throw new PprofError(`a stack of more than ${MAX_FRAMES} frames`);
    const names = stack.map(({ name }) => name);
    const places = stack.map(({ place }) => place);
    return { frames: names, count, ...(places.some((place) => place !== NOWHERE) && { places }) };
  });
  return { stacks: mergeStacks(stacks.filter(({ count }) => count > 0)), type: typeTexts[chosen] ?? '' };
}

/** Samples where they are counted, since what can be said of a difference depends on their number; else what the file prefers. */
function chosenType({ strings, defaultType }: Tables, typeTexts: readonly string[]): number {
  const counted = typeTexts.indexOf('samples/count');
  if (counted >= 0) return counted;
  const preferred = strings[defaultType] ?? '';
  const named = typeTexts.findIndex((type) => preferred !== '' && type.startsWith(`${preferred}/`));
  return named >= 0 ? named : typeTexts.length - 1; // as `go tool pprof` does
}

interface Frame {
  readonly name: string;
  readonly place: string;
}

function framesOf(tables: Tables, id: number): readonly Frame[] {
  const location = tables.locations.get(id);
  if (!location) throw new PprofError(`a sample names location ${id}, which is not there`);
  if (location.lines.length === 0) {
    const name = location.address > 0 ? `0x${location.address.toString(16)}` : UNNAMED;
    return [{ name, place: NOWHERE }];
  }
  return location.lines.map(({ inFunction, line }) => {
    const known = tables.functions.get(inFunction);
    if (!known) throw new PprofError(`a line names function ${inFunction}, which is not there`);
    const path = textOf(tables, known.file);
    const file = path.slice(path.lastIndexOf('/') + 1);
    return { name: textOf(tables, known.name) || UNNAMED, place: placeText(file, line) };
  });
}

function textOf({ strings }: Tables, index: number): string {
  const text = strings[index];
  if (text === undefined) throw new PprofError(`it names string ${index} of ${strings.length}`);
  return text;
}
