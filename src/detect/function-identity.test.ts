import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functionIdentity } from './function-identity.ts';
import { createStackIndex, functionOf, nodeIsTotal } from './stack-index.ts';

const ALIKE: readonly (readonly [string, string])[] = [
  ['shop.Orders.lambda$place$3', 'shop.Orders.lambda$place$4'],
  ['shop.Orders$place$1.invokeSuspend', 'shop.Orders$place$12.invokeSuspend'],
  ['shop.Orders$1$2.run', 'shop.Orders$3$1.run'],
  ['shop.OrdersKt.place$lambda$1$lambda$0', 'shop.OrdersKt.place$lambda$2$lambda$1'],
  ['shop.OrdersKt.place$lambda-3', 'shop.OrdersKt.place$lambda-4'],
  ['shop.Orders.access$000', 'shop.Orders.access$100'],
];

for (const [one, other] of ALIKE) {
  test(`${one} and ${other} are one function`, () => {
    assert.equal(functionIdentity(one), functionIdentity(other));
  });
}

const APART: readonly (readonly [string, string])[] = [
  ['shop.Orders.lambda$place$3', 'shop.Orders.lambda$cancel$3'],
  ['shop.Orders$place$1.invokeSuspend', 'shop.Orders$place$1.create'],
  ['shop.Orders$V1.run', 'shop.Orders$V2.run'],
  ['shop.Sha1.update', 'shop.Sha2.update'],
  ['shop.Orders$Utf8.run', 'shop.Orders$Utf16.run'],
];

for (const [one, other] of APART) {
  test(`${one} and ${other} are two`, () => {
    assert.notEqual(functionIdentity(one), functionIdentity(other));
  });
}

test('stacks that differ by what a compiler counted are two stacks of the same nodes', () => {
  const index = createStackIndex();
  const before = index.of(['shop.Codec.write', 'shop.Orders.lambda$place$0', 'shop.Orders.place']);
  const after = index.of(['shop.Codec.write', 'shop.Orders.lambda$place$1', 'shop.Orders.place']);

  assert.notEqual(before.id, after.id);
  assert.deepEqual(before.nodes, after.nodes);
});

test('a lambda within a lambda of the same function counts once in their total', () => {
  const index = createStackIndex();
  const { nodes } = index.of(['shop.Orders.lambda$place$1', 'shop.Orders.lambda$place$0', 'shop.Main.run']);

  assert.deepEqual(
    nodes.filter(nodeIsTotal).map((node) => index.functions[functionOf(node)]),
    ['shop.Orders.lambda$place$', 'shop.Main.run'],
  );
});
