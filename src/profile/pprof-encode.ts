/** Writes google/pprof's profile.proto (github.com/google/pprof/blob/main/proto/profile.proto), not yet gzipped. */
import { PbfWriter } from 'pbf';
import { parsePlace } from './place.ts';
import type { StackCount } from './stack-counts.ts';

export interface PprofFacts {
  readonly startMs: number;
  readonly durationMs: number;
  /** Samples of a busy CPU in a second. */
  readonly frequencyHz: number;
  /** Shown by `go tool pprof -comments`. */
  readonly comments?: readonly string[];
}

/**
 * Two values a sample: how often its stack was seen, and the CPU time in nanoseconds that this stands for.
 * A location is a function at a line: frames that were inlined are frames like all others.
 */
export function encodePprof(stacks: Iterable<StackCount>, facts: PprofFacts): Uint8Array {
  const pbf = new PbfWriter();
  const strings = createNumbering(['']); // the first one has to be empty
  const functions = createNumbering();
  const locations = createNumbering();
  const periodNs = Math.round(1e9 / facts.frequencyHz);
  const valueType = (type: string, unit: string) => [strings.of(type), strings.of(unit)] as const;

  pbf.writeMessage(1, writeValueType, valueType('samples', 'count'));
  pbf.writeMessage(1, writeValueType, valueType('cpu', 'nanoseconds'));
  for (const { frames, places, count } of stacks) {
    const at = frames.map((name, i) => 1 + locations.of(`${name}\0${places?.[i] ?? ''}`));
    pbf.writeMessage(2, writeSample, { at, values: [count, count * periodNs] });
  }
  for (const [index, text] of locations.texts.entries()) {
    const [name = '', place = ''] = text.split('\0');
    const { file, line } = parsePlace(place) ?? { file: '', line: undefined };
    const inFunction = 1 + functions.of(`${name}\0${file}`);
    pbf.writeMessage(4, writeLocation, { id: 1 + index, inFunction, line: line ?? 0 });
  }
  for (const [index, text] of functions.texts.entries()) {
    const [name = '', file = ''] = text.split('\0');
    pbf.writeMessage(5, writeFunction, { id: 1 + index, name: strings.of(name), file: strings.of(file) });
  }
  pbf.writeVarintField(9, facts.startMs * 1e6);
  pbf.writeVarintField(10, facts.durationMs * 1e6);
  pbf.writeMessage(11, writeValueType, valueType('cpu', 'nanoseconds'));
  pbf.writeVarintField(12, periodNs);
  for (const comment of facts.comments ?? []) pbf.writeVarintField(13, strings.of(comment));
  for (const text of strings.texts) pbf.writeStringField(6, text);
  return pbf.finish();
}

function writeValueType([type, unit]: readonly [number, number], pbf: PbfWriter): void {
  pbf.writeVarintField(1, type);
  pbf.writeVarintField(2, unit);
}

function writeSample(
  sample: { readonly at: readonly number[]; readonly values: readonly number[] },
  pbf: PbfWriter,
): void {
  pbf.writePackedVarint(1, [...sample.at]);
  pbf.writePackedVarint(2, [...sample.values]);
}

function writeLocation(location: { id: number; inFunction: number; line: number }, pbf: PbfWriter): void {
  pbf.writeVarintField(1, location.id);
  pbf.writeMessage(4, writeLine, location);
}

function writeLine({ inFunction, line }: { inFunction: number; line: number }, pbf: PbfWriter): void {
  pbf.writeVarintField(1, inFunction);
  pbf.writeVarintField(2, line);
}

function writeFunction(each: { id: number; name: number; file: number }, pbf: PbfWriter): void {
  pbf.writeVarintField(1, each.id);
  pbf.writeVarintField(2, each.name);
  pbf.writeVarintField(3, each.name); // without a system name of its own
  pbf.writeVarintField(4, each.file);
}

function createNumbering(first: readonly string[] = []) {
  const texts = [...first];
  const numbers = new Map(texts.map((text, index) => [text, index]));
  return {
    texts,
    of(text: string): number {
      const number = numbers.get(text) ?? texts.push(text) - 1;
      numbers.set(text, number);
      return number;
    },
  };
}
