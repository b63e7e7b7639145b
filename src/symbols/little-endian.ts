/** Fields of a record in memory order of x86-64 and arm64. */
export interface Fields {
  u8(offset: number): number;
  u16(offset: number): number;
  i16(offset: number): number;
  u32(offset: number): number;
  i32(offset: number): number;
  u64(offset: number): bigint;
}

/** Throws RangeError where a field reaches past the bytes: the caller has read the record whole. */
export function littleEndian(bytes: Uint8Array): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    u8: (offset) => view.getUint8(offset),
    u16: (offset) => view.getUint16(offset, true),
    i16: (offset) => view.getInt16(offset, true),
    u32: (offset) => view.getUint32(offset, true),
    i32: (offset) => view.getInt32(offset, true),
    u64: (offset) => view.getBigUint64(offset, true),
  };
}
