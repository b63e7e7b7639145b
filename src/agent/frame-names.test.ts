import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileNameStores } from './file-name-store.ts';
import { createFrameNames } from './frame-names.ts';
import { aDirectory } from './jvm-fixture.ts';

const NO_LINES = { sourceFile: '', lineTable: new Uint8Array() };

function someNames(t: TestContext) {
  const stores = fileNameStores(aDirectory(t));
  const names = createFrameNames(() => stores.open());
  t.after(() => names.close());
  return names;
}

test('methods and stubs are named by their numbers, in the form that a perf map gives', (t) => {
  const names = someNames(t);
  names.learnMethod({ ...NO_LINES, id: 1, holder: 'shop/Codec', name: 'decode' });
  names.learnMethod({ ...NO_LINES, id: 5000, holder: 'shop/Codec$$Lambda$12+0x00007f0001', name: 'apply' });
  names.learnStub({ id: 1, name: 'StubRoutines (1)' });

  assert.deepEqual(
    [names.methodAt(1)?.name, names.methodAt(5000)?.name, names.stubName(1)],
    ['shop.Codec.decode', 'shop.Codec$$Lambda.apply', '[StubRoutines]'],
  );
});

test('what was not learned has no name, and what is numbered anew is forgotten', (t) => {
  const names = someNames(t);
  names.learnMethod({ ...NO_LINES, id: 7, holder: 'A', name: 'a' });

  assert.deepEqual([0, 6, 8, 1_000_000].map(names.methodAt), [undefined, undefined, undefined, undefined]);
  names.forget();
  assert.deepEqual([names.methods, names.methodAt(7)?.name, names.stubName(1)], [0, undefined, undefined]);
  names.learnMethod({ ...NO_LINES, id: 7, holder: 'B', name: 'b' });
  assert.equal(names.methodAt(7)?.name, 'B.b');
});

test('a number beyond the bound is not kept', (t) => {
  const names = someNames(t);
  names.learnMethod({ ...NO_LINES, id: 131_072, holder: 'A', name: 'a' });

  assert.deepEqual([names.methods, names.methodAt(131_072)?.name], [0, undefined]);
});

test('names of foreign classes are made safe, whatever characters they have', (t) => {
  const names = someNames(t);
  names.learnMethod({ ...NO_LINES, id: 1, holder: 'shop/Bestellung\u00e4;\n', name: 'pr\u00fcfe' });

  assert.equal(names.methodAt(1)?.name, 'shop.Bestellung\u00e4??.pr\u00fcfe');
});

test('what tells the lines of a method is kept beside its name, as it is', (t) => {
  const names = someNames(t);
  const lineTable = Uint8Array.from([0x08, 0xff, 0x01, 0xc3, 0x00]);
  names.learnMethod({ id: 1, holder: 'shop/Codec', name: 'decode', sourceFile: 'Codec.kt', lineTable });
  names.learnMethod({ ...NO_LINES, id: 2, holder: 'shop/Codec$$Lambda', name: 'apply' });

  assert.deepEqual(names.methodAt(1), { name: 'shop.Codec.decode', sourceFile: 'Codec.kt', lineTable });
  assert.deepEqual(names.methodAt(2), { name: 'shop.Codec$$Lambda.apply', ...NO_LINES });
});

test('a line table that is longer than an entry is cut, and its method keeps its name', (t) => {
  const names = someNames(t);
  const lineTable = new Uint8Array(4000).fill(0x09);
  names.learnMethod({ id: 1, holder: 'shop/Codec', name: 'decode', sourceFile: 'Codec.kt', lineTable });

  const method = names.methodAt(1);
  assert.equal(method?.name, 'shop.Codec.decode');
  assert(method.lineTable.length < 1024);
});
