/** Protobuf's wire format (protobuf.dev/programming-guides/encoding), read within the bytes there are: anything beyond them throws. */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
const MAX_VARINT_BYTES = 10;

export class ProtobufReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  #wire = VARINT;

  constructor(bytes: Uint8Array, from = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
  }

  /** Calls `read` for each field; it reads the field's value from `reader`, or skips it. */
  fields(read: (field: number, reader: ProtobufReader) => void): void {
    while (this.#at < this.#end) {
      const key = this.#varint();
      const began = this.#at;
      this.#wire = Number(key & 7n);
      read(Number(key >> 3n), this);
      if (this.#at === began) throw new Error(`a field at byte ${began} was not read`);
    }
  }

  message(): ProtobufReader {
    const { from, end } = this.#length();
    return new ProtobufReader(this.#bytes, from, end);
  }

  text(): string {
    const { from, end } = this.#length();
    return new TextDecoder().decode(this.#bytes.subarray(from, end));
  }

  /** As a double: beyond 2^53 it is the nearest. */
  int64(): number {
    this.#assert(VARINT);
    return Number(BigInt.asIntN(64, this.#varint()));
  }

  /** Packed or not. */
  int64s(into: number[]): void {
    if (this.#wire === VARINT) {
      into.push(this.int64());
      return;
    }
    const { from, end } = this.#length();
    const packed = new ProtobufReader(this.#bytes, from, end);
    while (packed.#at < packed.#end) into.push(packed.int64());
  }

  skip(): void {
    if (this.#wire === VARINT) this.#varint();
    else if (this.#wire === FIXED64) this.#skip(8);
    else if (this.#wire === FIXED32) this.#skip(4);
    else this.#length();
  }

  #assert(wire: number): void {
    if (this.#wire !== wire) throw new Error(`wire type ${this.#wire} at byte ${this.#at}, not ${wire}`);
  }

  #skip(bytes: number): void {
    if (this.#at + bytes > this.#end) throw new Error(`${bytes} bytes at byte ${this.#at} of ${this.#end}`);
    this.#at += bytes;
  }

  #length(): { readonly from: number; readonly end: number } {
    this.#assert(LENGTH);
    const length = Number(this.#varint());
    const from = this.#at;
    this.#skip(length);
    return { from, end: this.#at };
  }

  #varint(): bigint {
    let small = 0;
    for (let nth = 0; nth < 4; nth += 1) {
      const byte = this.#byte();
      small |= (byte & 0x7f) << (7 * nth);
      if (byte < 0x80) return BigInt(small); // nearly always
    }
    let value = BigInt(small);
    for (let nth = 4; nth < MAX_VARINT_BYTES; nth += 1) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * nth);
      if (byte < 0x80) return value;
    }
    throw new Error(`a number of more than ${MAX_VARINT_BYTES} bytes at byte ${this.#at}`);
  }

  #byte(): number {
    const byte = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    if (byte === undefined) throw new Error(`the end is at byte ${this.#end}, in the middle of a field`);
    this.#at += 1;
    return byte;
  }
}
