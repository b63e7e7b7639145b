import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOWHERE, parsePlace, placeText } from './place.ts';

test('a place reads as in a stack trace, and comes back as it was', () => {
  for (const [file, line, isNear, text] of [
    ['Codec.kt', 87, false, 'Codec.kt:87'],
    ['Codec.kt', 87, true, 'Codec.kt:~87'],
    ['Codec.kt', undefined, false, 'Codec.kt'],
    ['a:b.kt', 5, false, 'a:b.kt:5'],
  ] as const) {
    assert.equal(placeText(file, line, isNear), text);
    assert.deepEqual(parsePlace(text), { file, line, isNear });
  }
});

test('without a file there is no place, whatever the line', () => {
  assert.deepEqual([placeText(undefined, 7), placeText('', 7)], [NOWHERE, NOWHERE]);
  assert.equal(parsePlace(NOWHERE), undefined);
});

test('a line that no source has is left out, and a long file name is cut', () => {
  assert.deepEqual(
    [0, -5, 2 ** 31, Number.NaN].map((line) => placeText('Codec.kt', line)),
    ['Codec.kt', 'Codec.kt', 'Codec.kt', 'Codec.kt'],
  );
  assert.equal(placeText('x'.repeat(500), 7).length, 128 + 2);
});
