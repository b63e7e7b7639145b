import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functionLines } from './function-lines.ts';

const KOTLIN = `package shop

class SlowCodec : Codec {
    override fun decode(text: String): Order = parse(text)

    @Suppress("unused")
    override fun encode(
        order: Order,
    ): String {
        val tree = build(order)

        return tree.map { encode(it) }
    }

    fun encode(order: Order, times: Int): String =
        List(times) { encode(order) }
            .last()
}

fun List<Order>.total(): Int {
    return sumOf { it.cents }
}
`;

test('a function is found by its name and a line in it, with annotations, parameters and body', () => {
  assert.deepEqual(functionLines(KOTLIN, ['encode'], 12), [6, 13]);
  assert.deepEqual(functionLines(KOTLIN, ['encode'], 16), [15, 17]);
  assert.deepEqual(functionLines(KOTLIN, ['decode'], 4), [4, 4]);
  assert.deepEqual(functionLines(KOTLIN, ['total'], 21), [20, 22]);
});

test('a line behind the end of the file, as inlined functions have it, or none at all leaves the name', () => {
  assert.deepEqual(functionLines(KOTLIN, ['encode'], 400), [6, 13]);
  assert.deepEqual(functionLines(KOTLIN, ['total'], undefined), [20, 22]);
  assert.equal(functionLines(KOTLIN, ['gone'], 400), undefined);
});

test('of what has no function of its name the lines around are taken', () => {
  assert.deepEqual(functionLines(KOTLIN, [], 12), [9, 15]);
  assert.deepEqual(functionLines(KOTLIN, ['invoke'], 1), [1, 4]);
  assert.deepEqual(functionLines(KOTLIN, ['decode'], 12), [9, 15], 'it has ended before the line');
});

test('a method of Java is told from a call of it', () => {
  const java = `package shop;

final class Codec {
    String twice(Order order) {
        return encode(order) + encode(order);
    }

    private static <T> Map<String, T>
        ignored() { return null; }

    @Override public String encode(final Order order)
            throws IOException
    {
        return new encode(order).text();
    }
}
`;

  assert.deepEqual(functionLines(java, ['encode'], 14), [11, 15]);
  assert.deepEqual(functionLines(java, ['encode'], undefined), [11, 15]);
  assert.deepEqual(functionLines(java, ['twice'], 5), [4, 6]);
});

test('names and texts that were made to be slow or to break a pattern are only names and texts', () => {
  const long = `fun ${'a '.repeat(500_000)}encode(`;

  assert.deepEqual(functionLines(`${long}\n${KOTLIN}`, ['encode'], 13), [7, 14]);
  assert.equal(functionLines(KOTLIN, ['(a+)+$', '\\', '[', 'x'.repeat(10_000)], undefined), undefined);
});
