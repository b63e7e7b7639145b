import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidatePaths, isTestPath, packageIn, sourceName } from './source-file.ts';

test('a frame is a function of a package, whatever the compiler made of it', () => {
  const names = (frame: string) => sourceName(frame).names;

  assert.deepEqual(sourceName('shop.api.Codec.encode'), { packageName: 'shop.api', names: ['encode'] });
  assert.deepEqual(sourceName('suspend shop.Orders.find_[a]'), { packageName: 'shop', names: ['find'] });
  assert.deepEqual(sourceName('shop.Orders$handle$2.invokeSuspend'), {
    packageName: 'shop',
    names: ['handle'],
  });
  assert.deepEqual(sourceName('Main.main'), { packageName: '', names: ['main'] });
  assert.deepEqual(names('shop.Orders.find$lambda$3'), ['find']);
  assert.deepEqual(names('shop.Orders.access$find'), ['find']);
  assert.deepEqual(names('shop.Orders.find-0d7_KjU'), ['find']);
  assert.deepEqual(names('shop.Orders$Cache.load'), ['load', 'Cache']);
  assert.deepEqual(names('shop.Orders.<init>'), []);
});

test('folders of the package come first, and Kotlin may leave its beginning out', () => {
  const paths = [
    'Main.kt',
    'a/src/acme/other/Main.kt',
    'b/src/shop/Main.kt',
    'c/src/acme/shop/Main.kt',
    'd/shop/XMain.kt',
  ];

  assert.deepEqual(candidatePaths(paths, 'Main.kt', 'acme.shop'), [
    'c/src/acme/shop/Main.kt',
    'b/src/shop/Main.kt',
    'Main.kt',
    'a/src/acme/other/Main.kt',
  ]);
});

test('a file says its package', () => {
  assert.equal(packageIn('// of us\n@file:JvmName("Shop")\n\npackage acme.`in`.shop\n'), 'acme.in.shop');
  assert.equal(packageIn('/* */\npackage acme.shop;\n'), 'acme.shop');
  assert.equal(packageIn('fun main() {}\n'), '');
});

test('sources of tests are told by their folder', () => {
  for (const path of ['src/test/kotlin/A.kt', 'a/src/integrationTest/A.kt', 'b/jvm-test/A.kt'])
    assert(isTestPath(path), path);
  for (const path of ['src/main/kotlin/A.kt', 'src/main/contest/A.kt', 'latest/A.kt'])
    assert(!isTestPath(path), path);
});
