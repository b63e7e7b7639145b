/** Where the fields of a class lie in its objects, from either form in which HotSpot keeps that. */
import { littleEndian } from '../symbols/little-endian.ts';
import { type ExcludedBytes, readUnsigned5 } from './unsigned5.ts';

export interface FieldInfo {
  /** Of its name in the constant pool of the class. */
  readonly nameIndex: number;
  readonly offset: number;
  readonly isStatic: boolean;
}

const JVM_ACC_STATIC = 0x0008;
const MAX_FIELDS = 4096; // generated classes with some hundreds are seen

const SLOTS = 6; // access flags, name, signature, initial value, offset low and high (fieldInfo.hpp up to 20)
const TAG_BITS = 2;

/** InstanceKlass::_fields, up to JDK 20. */
export function parseFieldSlots(slots: Uint8Array, count: number): FieldInfo[] {
  const at = littleEndian(slots);
  const whole = Math.min(count, MAX_FIELDS, Math.floor(slots.length / (2 * SLOTS)));
  return Array.from({ length: whole }, (_, i) => {
    const slot = (column: number) => at.u16(2 * (SLOTS * i + column));
    const offset = (slot(5) * 2 ** 16 + slot(4)) >>> TAG_BITS;
    return { nameIndex: slot(1), offset, isStatic: (slot(0) & JVM_ACC_STATIC) !== 0 };
  });
}

/** Bits of a field's own flags: numbers that follow, and fields of the JVM's own (fieldInfo.hpp, 21 and later). */
const [INITIALIZED, INJECTED, GENERIC, CONTENDED] = [1 << 0, 1 << 1, 1 << 2, 1 << 4];

/** InstanceKlass::_fieldinfo_stream, from JDK 21 on. What the JVM injected is left out: its names are in no pool. */
export function parseFieldStream(stream: Uint8Array, excluded: ExcludedBytes): FieldInfo[] {
  const reader = readUnsigned5(stream, excluded);
  const next = () => reader.unsigned() ?? 0;
  const count = Math.min(next() + next(), MAX_FIELDS);
  const fields: FieldInfo[] = [];
  for (let i = 0; i < count && reader.position < stream.length; i++) {
    const nameIndex = next();
    next(); // its signature
    const offset = next();
    const isStatic = (next() & JVM_ACC_STATIC) !== 0;
    const flags = next();
    for (const bit of [INITIALIZED, GENERIC, CONTENDED]) if (flags & bit) next();
    if ((flags & INJECTED) === 0) fields.push({ nameIndex, offset, isStatic });
  }
  return fields;
}
