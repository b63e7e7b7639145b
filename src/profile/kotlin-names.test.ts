import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functionOfContinuation } from './kotlin-names.ts';

// Compiled from test/jvm/Chains.kt by Kotlin 2.1: class of the continuation, its function.
const COMPILED: readonly (readonly [string, string])[] = [
  ['shop.Orders$checkout$1', 'shop.Orders.checkout'],
  ['shop.Orders$stored$2', 'shop.Orders.stored'],
  ['shop.Orders$Companion$shared$1', 'shop.Orders$Companion.shared'],
  ['shop.ChainsKt$deep$1', 'shop.ChainsKt.deep'],
  ['shop.ChainsKt$main$10$1', 'shop.ChainsKt.main'],
  ['shop.ChainsKt$streamed$$inlined$map$1$2$1', 'shop.ChainsKt.streamed'],
  ['Main$run$1', 'Main.run'],
  ['shop.Outer$Inner$of$1', 'shop.Outer$Inner.of'],
  ['shop.Handler$1', 'shop.Handler$1'],
  ['shop.Handler', 'shop.Handler'],
];

for (const [className, shown] of COMPILED) {
  test(`${className} was made for ${shown}`, () => assert.equal(functionOfContinuation(className), shown));
}
