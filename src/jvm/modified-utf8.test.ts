import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeModifiedUtf8 } from './modified-utf8.ts';

/** As java.io.DataOutput.writeUTF does it. */
function encoded(text: string): Uint8Array {
  return Uint8Array.from(
    Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)).flatMap((unit) => {
      if (unit > 0 && unit < 0x80) return [unit];
      const low = 0x80 | (unit & 0x3f);
      if (unit < 0x800) return [0xc0 | (unit >> 6), low];
      return [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), low];
    }),
  );
}

test('every text comes back, NUL and emoji too', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(decodeModifiedUtf8(encoded(text)), text);
    }),
  );
  assert.equal(decodeModifiedUtf8(encoded('größe\0🔥')), 'größe\0🔥');
});

test('bytes that are no text are marked, and the rest is read', () => {
  assert.equal(decodeModifiedUtf8(Uint8Array.from([0x61, 0xff, 0x62, 0xc3])), 'a\ufffdb\ufffd');
  fc.assert(fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => void decodeModifiedUtf8(bytes)));
});
