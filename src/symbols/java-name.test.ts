import assert from 'node:assert/strict';
import { test } from 'node:test';
import { javaMethodName, javaName } from './java-name.ts';

const AS_WRITTEN: readonly (readonly [string, string])[] = [
  // Compiler.perfmap, as perf-map.ts leaves it
  ['void shop.Codec.decode(', 'shop.Codec.decode'],
  ['java.lang.Object[] shop.Codec.all(', 'shop.Codec.all'],
  ['long Busy.inner(', 'Busy.inner'],
  ['java.lang.Object shop.OrdersKt$main$1.invokeSuspend(', 'shop.OrdersKt$main$1.invokeSuspend'],
  ['void shop.Codec.name with spaces(', 'shop.Codec.name with spaces'],
  ['void shop.Codec.<init>(', 'shop.Codec.<init>'],
  // perf-map-agent, with and without its dottedclass option
  ['Lshop/Codec;::decode', 'shop.Codec.decode'],
  ['Lshop/Codec;::decode(', 'shop.Codec.decode'],
  ['shop.Codec::decode', 'shop.Codec.decode'],
  ['Lshop/Codec$$Lambda$14/0x0000000800c01000;::run', 'shop.Codec$$Lambda.run'],
  // pieces of the JVM
  ['Interpreter', '[Interpreter]'],
  ['StubRoutines (1)', '[StubRoutines]'],
  ['StubRoutines (compilerstubs)', '[StubRoutines]'],
  ['I2C/C2I adapters', '[I2C/C2I adapters]'],
  ['I2C/C2I adapters(', '[I2C/C2I adapters]'],
  ['nmethod stub', '[nmethod stub]'],
  ['StubRoutines::call_stub', '[StubRoutines::call_stub]'],
];

for (const [written, shown] of AS_WRITTEN) {
  test(`${written} is shown as ${shown}`, () => assert.equal(javaName(written), shown));
}

const ALIKE: readonly (readonly [string, string])[] = [
  [
    'long Busy$$Lambda$1/0x00007f50c4000a08.applyAsLong(',
    'long Busy$$Lambda$27/0x00007f22a8001c00.applyAsLong(',
  ],
  ['long Busy$$Lambda/0x000000002a040210.applyAsLong(', 'long Busy$$Lambda$14/1234567890.applyAsLong('],
  [
    'void jdk.internal.reflect.GeneratedMethodAccessor1.invoke(',
    'void jdk.internal.reflect.GeneratedMethodAccessor93.invoke(',
  ],
  [
    'long java.lang.invoke.LambdaForm$MH/0x000000002a043c00.invoke(',
    'long java.lang.invoke.LambdaForm$MH/0x000000002a099c00.invoke(',
  ],
  ['void jdk.proxy1.$Proxy0.run(', 'void jdk.proxy2.$Proxy31.run('],
  [
    'void shop.Orders$$EnhancerBySpringCGLIB$$1a2b3c4d.place(',
    'void shop.Orders$$EnhancerBySpringCGLIB$$99ffee00.place(',
  ],
];

for (const [one, other] of ALIKE) {
  test(`two pods agree on ${javaName(one)}`, () => assert.equal(javaName(one), javaName(other)));
}

const BOTH_WAYS: readonly (readonly [string, string, string])[] = [
  ['void shop.Codec.decode(', 'shop/Codec', 'decode'],
  ['void Busy.<clinit>(', 'Busy', '<clinit>'],
  ['long Busy$$Lambda$1/0x00007f50c4000a08.applyAsLong(', 'Busy$$Lambda$7+0x0000000800c03000', 'applyAsLong'],
  ['long Busy$$Lambda/0x000000002a040210.applyAsLong(', 'Busy$$Lambda+0x000077aa2c001000', 'applyAsLong'],
  [
    'long java.lang.invoke.LambdaForm$MH/0x000000002a043c00.invoke(',
    'java/lang/invoke/LambdaForm$MH+0x00007d5140004000',
    'invoke',
  ],
  ['void jdk.proxy1.$Proxy0.run(', 'jdk/proxy2/$Proxy9', 'run'],
];

for (const [written, holder, method] of BOTH_WAYS) {
  test(`${holder}.${method} is named as a perf map names it`, () => {
    assert.equal(javaMethodName(holder, method), javaName(written));
  });
}

test('a lambda of the source keeps its number, which tells it from the next one', () => {
  assert.equal(javaName('void shop.Codec.lambda$main$2('), 'shop.Codec.lambda$main$2');
});

test('a hostile name is printable, folds, and has an end', () => {
  const name = javaName(`void a.b;\n\u001b[31m${'x'.repeat(5000)}(`);

  assert.match(name, /^a\.b\?\?\?\[31mx+$/);
  assert.equal(name.length, 512);
});
