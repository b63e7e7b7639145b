/** What all of OTLP's messages are made of (opentelemetry-proto, common/v1/common.proto and resource/v1/resource.proto). */
import type { PbfWriter } from 'pbf';

/** Whole numbers are integers there. */
export type OtlpAttributes = Readonly<Record<string, string | number | readonly string[]>>;

export const writeScope = (name: string, to: PbfWriter): void => to.writeStringField(1, name);
export const SCOPE = 'flamegate';

export function writeResource(attributes: OtlpAttributes, to: PbfWriter): void {
  writeAttributes(1, attributes, to);
}

export function writeAttributes(field: number, attributes: OtlpAttributes, to: PbfWriter): void {
  for (const attribute of Object.entries(attributes)) to.writeMessage(field, writeKeyValue, attribute);
}

type Value = OtlpAttributes[string];

function writeKeyValue([key, value]: readonly [string, Value], to: PbfWriter): void {
  to.writeStringField(1, key);
  to.writeMessage(2, writeAnyValue, value);
}

/** AnyValue. */
export function writeAnyValue(value: Value, to: PbfWriter): void {
  if (typeof value === 'string') to.writeStringField(1, value);
  else if (typeof value === 'number') to.writeVarintField(3, value);
  else to.writeMessage(5, writeArray, value);
}

function writeArray(values: readonly string[], to: PbfWriter): void {
  for (const value of values) to.writeMessage(1, writeAnyValue, value);
}
