/** Which of its flags a JVM runs with, from the table that jcmd VM.flags prints (hotspot/share/runtime/flags/jvmFlag.hpp). */
import { foreignReader, unlessUnreadable } from './foreign-reader.ts';
import type { ReadMemory } from './read-memory.ts';
import { readScattered } from './scattered-memory.ts';
import type { VmStructs } from './vm-structs.ts';

export interface VmFlag {
  readonly on: boolean;
  /** Who set it, in HotSpot's words: DEFAULT, COMMAND_LINE, ENVIRON_VAR, ERGONOMIC, MANAGEMENT, … */
  readonly origin: string;
  /** Of its byte in the process. */
  readonly address: bigint;
}

/** What the table says of one flag, and what its byte holds. */
export interface FlagByte {
  readonly isBoolean: boolean;
  readonly value: number;
  readonly origin: string;
  readonly address: bigint;
}

const MAX_FLAGS = 4096n; // longest seen: 1480
const MAX_FLAG_BYTES = 128; // longest seen: 24
const MAX_NAME_BYTES = 128; // longest seen: 47
const TYPE_BOOL = 0;
const ORIGIN_PREFIX = 'JVMFlagOrigin::';
const ORIGINS = [
  'DEFAULT',
  'COMMAND_LINE',
  'ENVIRON_VAR',
  'CONFIG_FILE',
  'MANAGEMENT',
  'ERGONOMIC',
  'ATTACH_ON_DEMAND',
  'INTERNAL',
  'JIMAGE_RESOURCE',
];

/** Of the boolean flags named, those that are there and hold 0 or 1. Undefined when the table cannot be read or is odd. */
export function readFlags(
  read: ReadMemory,
  structs: VmStructs,
  names: readonly string[],
): Map<string, VmFlag> | undefined {
  const bytes = readFlagBytes(read, structs, names);
  if (!bytes) return undefined;
  const sound = [...bytes].filter(([, { isBoolean, value }]) => isBoolean && value <= 1);
  return new Map(
    sound.map(([name, { value, origin, address }]) => [name, { on: value === 1, origin, address }]),
  );
}

/** Of the flags named, those that are there, of whatever type. Undefined when the table cannot be read or is odd. */
export function readFlagBytes(
  read: ReadMemory,
  structs: VmStructs,
  names: readonly string[],
): Map<string, FlagByte> | undefined {
  const [table, count] = [structs.address('JVMFlag', 'flags'), structs.address('JVMFlag', 'numFlags')];
  const shape = shapeOf(structs);
  if (table === undefined || count === undefined || !shape) return undefined;
  return unlessUnreadable(() => {
    const memory = foreignReader(read);
    const flags = memory.pointer(count);
    if (flags > MAX_FLAGS) return undefined;
    const rows = memory.record(memory.pointer(table), Number(flags) * shape.bytes);
    const found = new Map<string, FlagByte>();
    const starts = Array.from({ length: Number(flags) }, (_, i) => i * shape.bytes);
    const texts = readScattered(
      read,
      starts.map((at) => rows.u64(at + shape.name)).filter((name) => name !== 0n),
      MAX_NAME_BYTES,
    );
    for (const at of starts) {
      const name = wantedName(texts.from(rows.u64(at + shape.name)), names);
      if (name === undefined) continue;
      const address = rows.u64(at + shape.address);
      found.set(name, {
        isBoolean: rows.i32(at + shape.type) === TYPE_BOOL,
        value: memory.bytes(address, 1)[0] ?? 0,
        origin: shape.originOf(rows.i32(at + shape.flags)),
        address,
      });
    }
    return found;
  });
}

interface Shape {
  readonly bytes: number;
  readonly name: number;
  readonly address: number;
  readonly flags: number;
  readonly type: number;
  originOf(flags: number): string;
}

function shapeOf(structs: VmStructs): Shape | undefined {
  const [name, address, flags, type] = ['_name', '_addr', '_flags', '_type'].map((field) =>
    structs.field('JVMFlag', field),
  );
  const bytes = structs.size('JVMFlag');
  const mask = structs.constant('JVMFlag::VALUE_ORIGIN_MASK');
  if (!name || !address || !flags || !type || !bytes || mask === undefined) return undefined;
  const offsets = { name: name.offset, address: address.offset, flags: flags.offset, type: type.offset };
  const end = Math.max(offsets.name + 8, offsets.address + 8, offsets.flags + 4, offsets.type + 4);
  if (end > bytes || bytes > MAX_FLAG_BYTES) return undefined;
  const origins = new Map(ORIGINS.map((origin) => [structs.constant(`${ORIGIN_PREFIX}${origin}`), origin]));
  return {
    bytes,
    ...offsets,
    originOf: (value) => origins.get(BigInt(value) & mask) ?? 'UNKNOWN',
  };
}

function wantedName(bytes: Uint8Array | undefined, names: readonly string[]): string | undefined {
  const end = bytes?.subarray(0, MAX_NAME_BYTES).indexOf(0) ?? -1;
  if (!bytes || end < 0) return undefined;
  const name = String.fromCharCode(...bytes.subarray(0, end));
  return names.includes(name) ? name : undefined;
}
