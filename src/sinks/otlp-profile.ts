/**
 * A profile as OTLP has it (opentelemetry-proto, profiles/v1development/profiles.proto, development version 1), out of one of pprof that
 * createPprof wrote: its numbers of functions and locations, from one up, are places in OTLP's tables, whose first is nothing. Equal
 * stacks become one sample. Pure.
 */
import { PbfReader, PbfWriter } from 'pbf';
import { type FrameKind, kindOfName } from '../profile/frame-kind.ts';
import { type OtlpAttributes, SCOPE, writeAnyValue, writeResource, writeScope } from './otlp-fields.ts';

export interface ProfileOrigin {
  /** Of the resource. */
  readonly attributes: OtlpAttributes;
  /** 16 bytes, none of which need be zero: who gets it twice may know. */
  readonly id: Uint8Array;
}

/** ExportProfilesServiceRequest of one profile, with its dictionary. */
export function otlpProfile(pprof: Uint8Array, { attributes, id }: ProfileOrigin): Uint8Array {
  const profile = readPprof(pprof);
  const to = new PbfWriter(new Uint8Array(pprof.length + 4_096));
  to.writeMessage(1, writeResourceProfiles, { profile, attributes, id });
  to.writeMessage(2, writeDictionary, profile);
  return to.finish();
}

interface ValueType {
  type: number;
  unit: number;
}

interface FunctionNames {
  id: number;
  name: number;
  file: number;
}

interface Place {
  functionId: number;
  line: number;
}

interface Stack {
  readonly locations: readonly number[];
  value: number;
}

interface ReadProfile {
  /** UTF-8, views of the profile: most are only passed on. */
  readonly strings: Uint8Array[];
  readonly functions: FunctionNames[];
  readonly locations: Place[];
  readonly stacks: Map<string, Stack>;
  readonly sampleType: ValueType;
  readonly periodType: ValueType;
  timeNanos: number;
  durationNanos: number;
  period: number;
}

function readPprof(pprof: Uint8Array): ReadProfile {
  const empty: ReadProfile = {
    ...{ strings: [], functions: [], locations: [], stacks: new Map() },
    ...{ sampleType: { type: 0, unit: 0 }, periodType: { type: 0, unit: 0 } },
    ...{ timeNanos: 0, durationNanos: 0, period: 0 },
  };
  return new PbfReader(pprof).readFields(readProfileField, empty);
}

function readProfileField(field: number, profile: ReadProfile, from: PbfReader): void {
  if (field === 1) from.readMessage(readValueType, profile.sampleType);
  else if (field === 2) addSample(profile, from.readMessage(readSample, { locations: [], value: 0 }));
  else if (field === 4) profile.locations.push(from.readMessage(readLocation, { functionId: 0, line: 0 }));
  else if (field === 5) profile.functions.push(from.readMessage(readFunction, { id: 0, name: 0, file: 0 }));
  else if (field === 6) profile.strings.push(from.readBytes());
  else if (field === 9) profile.timeNanos = from.readVarint();
  else if (field === 10) profile.durationNanos = from.readVarint();
  else if (field === 11) from.readMessage(readValueType, profile.periodType);
  else if (field === 12) profile.period = from.readVarint();
}

function readValueType(field: number, into: ValueType, from: PbfReader): void {
  if (field === 1) into.type = from.readVarint();
  else if (field === 2) into.unit = from.readVarint();
}

interface ReadSample {
  locations: number[];
  value: number;
}

function readSample(field: number, sample: ReadSample, from: PbfReader): void {
  if (field === 1) sample.locations = from.readPackedVarint();
  else if (field === 2) [sample.value = 0] = from.readPackedVarint();
}

function addSample({ stacks }: ReadProfile, { locations, value }: ReadSample): void {
  const key = locations.join(' ');
  const known = stacks.get(key);
  if (known === undefined) stacks.set(key, { locations, value });
  else known.value += value;
}

function readLocation(field: number, location: Place, from: PbfReader): void {
  if (field === 4) from.readMessage(readLine, location);
}

function readLine(field: number, location: Place, from: PbfReader): void {
  if (field === 1) location.functionId = from.readVarint();
  else if (field === 2) location.line = from.readVarint();
}

function readFunction(field: number, into: FunctionNames, from: PbfReader): void {
  if (field === 1) into.id = from.readVarint();
  else if (field === 2) into.name = from.readVarint();
  else if (field === 4) into.file = from.readVarint();
}

function writeResourceProfiles(
  { attributes, ...of }: ProfileOrigin & { profile: ReadProfile },
  to: PbfWriter,
): void {
  to.writeMessage(1, writeResource, attributes);
  to.writeMessage(2, writeScopeProfiles, of);
}

type OneProfile = Pick<ProfileOrigin, 'id'> & { readonly profile: ReadProfile };

function writeScopeProfiles(of: OneProfile, to: PbfWriter): void {
  to.writeMessage(1, writeScope, SCOPE);
  to.writeMessage(2, writeProfile, of);
}

function writeProfile({ profile, id }: OneProfile, to: PbfWriter): void {
  to.writeMessage(1, writeValueType, profile.sampleType);
  let stack = 1;
  for (const { value } of profile.stacks.values()) to.writeMessage(2, writeSample, { stack: stack++, value });
  to.writeFixed64Field(3, profile.timeNanos);
  to.writeVarintField(4, profile.durationNanos);
  to.writeMessage(5, writeValueType, profile.periodType);
  to.writeVarintField(6, profile.period);
  to.writeBytesField(7, id);
}

function writeValueType({ type, unit }: ValueType, to: PbfWriter): void {
  to.writeVarintField(1, type);
  to.writeVarintField(2, unit);
}

function writeSample({ stack, value }: { stack: number; value: number }, to: PbfWriter): void {
  to.writeVarintField(1, stack);
  to.writePackedVarint(4, [value]);
}

/** OpenTelemetry's words for them; what is no code of anybody's has none. */
const FRAME_TYPES: Readonly<Record<FrameKind, string | undefined>> = {
  ...{ java: 'jvm', inlined: 'jvm', suspended: 'jvm', kernel: 'kernel' },
  ...{ collector: 'native', jvm: 'native', native: 'native' },
  ...{ waiting: undefined, machinery: undefined },
};
const FRAME_TYPE = 'profile.frame.type';
const TYPES = ['jvm', 'kernel', 'native'];

const nothing = (_: undefined, _to: PbfWriter): void => undefined;

/** Of each table the first is the one that means nothing. The first string of pprof is "" already. */
function writeDictionary({ strings, functions, locations, stacks }: ReadProfile, to: PbfWriter): void {
  const kinds = new Map(
    functions.map(({ id, name }) => [id, FRAME_TYPES[kindOfName(textOf(strings[name]))]]),
  );
  to.writeMessage(1, nothing, undefined);
  to.writeMessage(2, nothing, undefined);
  for (const { functionId, line } of locations) {
    const type = 1 + TYPES.indexOf(kinds.get(functionId) ?? '');
    to.writeMessage(2, writeLocation, { functionId, line, type });
  }
  to.writeMessage(3, nothing, undefined);
  for (const names of functions) to.writeMessage(3, writeFunction, names);
  to.writeMessage(4, writeNoLink, undefined);
  for (const text of strings) to.writeBytesField(5, text);
  to.writeStringField(5, FRAME_TYPE);
  to.writeMessage(6, nothing, undefined);
  for (const value of TYPES) to.writeMessage(6, writeAttribute, { key: strings.length, value });
  to.writeMessage(7, nothing, undefined);
  for (const { locations: ids } of stacks.values()) to.writeMessage(7, writeStack, ids);
}

const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('utf8');

function writeLocation({ functionId, line, type }: Place & { type: number }, to: PbfWriter): void {
  to.writeMessage(3, writeLine, { functionId, line });
  if (type > 0) to.writePackedVarint(4, [type]);
}

function writeLine({ functionId, line }: Place, to: PbfWriter): void {
  to.writeVarintField(1, functionId);
  to.writeVarintField(2, line);
}

function writeFunction({ name, file }: FunctionNames, to: PbfWriter): void {
  to.writeVarintField(1, name);
  to.writeVarintField(3, file);
}

/** Of full length: some readers want that. */
function writeNoLink(_: undefined, to: PbfWriter): void {
  to.writeBytesField(1, new Uint8Array(16));
  to.writeBytesField(2, new Uint8Array(8));
}

function writeAttribute({ key, value }: { key: number; value: string }, to: PbfWriter): void {
  to.writeVarintField(1, key);
  to.writeMessage(2, writeAnyValue, value);
}

const writeStack = (locations: readonly number[], to: PbfWriter): void =>
  to.writePackedVarint(1, [...locations]);
