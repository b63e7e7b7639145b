import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { functionOfMetadata, type PoolEntries, parseDebugMetadata } from './debug-metadata.ts';

const POOL: readonly (string | number)[] = [
  'no entry',
  'Lkotlin/Metadata;',
  'Lkotlin/coroutines/jvm/internal/DebugMetadata;',
  ...['c', 'shop.Orders', 'm', 'checkout', 'f', 'Orders.kt', 'l', 'k'],
  ...[65, 71],
];
const pool: PoolEntries = {
  text: (index) => (typeof POOL[index] === 'string' ? POOL[index] : undefined),
  integer: (index) => (typeof POOL[index] === 'number' ? POOL[index] : undefined),
};
const [METADATA, DEBUG_METADATA] = [1, 2];

const u2 = (value: number) => [value >> 8, value & 0xff];
const tagged = (tag: string, ...content: number[]) => [tag.charCodeAt(0), ...content];
const annotation = (type: number, ...elements: number[][]) => [
  ...u2(type),
  ...u2(elements.length),
  ...elements.flat(),
];
const element = (name: number, value: number[]) => [...u2(name), ...value];
const text = (index: number) => tagged('s', ...u2(index));
const lines = tagged('[', ...u2(2), ...tagged('I', ...u2(11)), ...tagged('I', ...u2(12)));
const WRITTEN = annotation(
  DEBUG_METADATA,
  element(3, text(4)),
  element(5, text(6)),
  element(7, text(8)),
  element(9, lines),
);

const parse = (...annotations: number[][]) =>
  parseDebugMetadata(Uint8Array.from([...u2(annotations.length), ...annotations.flat()]), pool);

test('what the compiler wrote is read, whatever stands before it', () => {
  const others = annotation(
    METADATA,
    element(10, tagged('e', ...u2(1), ...u2(3))),
    element(10, tagged('@', ...annotation(METADATA, element(10, tagged('Z', ...u2(11)))))),
    element(10, tagged('[', ...u2(1), ...tagged('c', ...u2(1)))),
  );

  assert.deepEqual(parse(others, WRITTEN), {
    className: 'shop.Orders',
    methodName: 'checkout',
    file: 'Orders.kt',
    lines: [65, 71],
  });
});

test('a class without it, or with half of it, has none', () => {
  assert.equal(parse(annotation(METADATA)), undefined);
  assert.equal(parse(annotation(DEBUG_METADATA, element(3, text(4)))), undefined);
  assert.equal(parse(WRITTEN.slice(0, -1)), undefined);
  assert.equal(parse(), undefined);
});

test('annotations inside of annotations have an end', () => {
  const nested = Array.from({ length: 50 }, () => [...tagged('@', ...u2(1), ...u2(1)), ...u2(10)]).flat();

  assert.equal(parse([...u2(1), ...u2(1), ...u2(10), ...nested], WRITTEN), undefined);
});

test('any bytes are read without an error', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseDebugMetadata(bytes, pool)));
  const damage = fc.array(fc.tuple(fc.nat(WRITTEN.length + 1), fc.nat(255)), { maxLength: 5 });
  fc.assert(
    fc.property(damage, (bytes) => {
      const damaged = Uint8Array.from([0, 1, ...WRITTEN]);
      for (const [at, byte] of bytes) damaged[at] = byte;
      void parseDebugMetadata(damaged, pool);
    }),
  );
});

test('what the compiler wrote down comes before what the name suggests', () => {
  const metadata = { file: 'Orders.kt', lines: [], className: 'shop.Outer$inner', methodName: 'of' };

  assert.equal(functionOfMetadata(metadata), 'shop.Outer$inner.of');
});

test('a lambda has no function of its own to name', () => {
  const metadata = {
    file: 'Chains.kt',
    lines: [],
    className: 'shop.ChainsKt$main$1',
    methodName: 'invokeSuspend',
  };

  assert.equal(functionOfMetadata(metadata), 'shop.ChainsKt.main');
});
