import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileNameStores } from './file-name-store.ts';
import { createFrameNames } from './frame-names.ts';
import { aDirectory } from './jvm-fixture.ts';

function someNames(t: TestContext) {
  const stores = fileNameStores(aDirectory(t));
  const names = createFrameNames(() => stores.open());
  t.after(() => names.close());
  return names;
}

test('methods and stubs are named by their numbers, in the form that a perf map gives', (t) => {
  const names = someNames(t);
  names.learnMethod({ id: 1, holder: 'shop/Codec', name: 'decode' });
  names.learnMethod({ id: 5000, holder: 'shop/Codec$$Lambda$12+0x00007f0001', name: 'apply' });
  names.learnStub({ id: 1, name: 'StubRoutines (1)' });

  assert.deepEqual(
    [names.methodName(1), names.methodName(5000), names.stubName(1)],
    ['shop.Codec.decode', 'shop.Codec$$Lambda.apply', '[StubRoutines]'],
  );
});

test('what was not learned has no name, and what is numbered anew is forgotten', (t) => {
  const names = someNames(t);
  names.learnMethod({ id: 7, holder: 'A', name: 'a' });

  assert.deepEqual([0, 6, 8, 1_000_000].map(names.methodName), [undefined, undefined, undefined, undefined]);
  names.forget();
  assert.deepEqual([names.methods, names.methodName(7), names.stubName(1)], [0, undefined, undefined]);
  names.learnMethod({ id: 7, holder: 'B', name: 'b' });
  assert.equal(names.methodName(7), 'B.b');
});

test('a number beyond the bound is not kept', (t) => {
  const names = someNames(t);
  names.learnMethod({ id: 131_072, holder: 'A', name: 'a' });

  assert.deepEqual([names.methods, names.methodName(131_072)], [0, undefined]);
});

test('names of foreign classes are made safe, whatever characters they have', (t) => {
  const names = someNames(t);
  names.learnMethod({ id: 1, holder: 'shop/Bestellung\u00e4;\n', name: 'pr\u00fcfe' });

  assert.equal(names.methodName(1), 'shop.Bestellung\u00e4??.pr\u00fcfe');
});
