import assert from 'node:assert/strict';
import { test } from 'node:test';
import { turnstile } from './turnstile.ts';

const entered = (promise: Promise<() => void> | undefined): Promise<() => void> =>
  promise ?? assert.fail('turned away');

test('as many are in as have room, the others in the order they came, a small one never before a large one', async () => {
  const gate = turnstile(10, 100);
  const order: string[] = [];
  const enter = async (name: string, size: number): Promise<() => void> => {
    const leave = await entered(gate.enter(size));
    order.push(name);
    return leave;
  };

  const [first, second] = [await enter('first', 6), await enter('second', 4)];
  const large = enter('large', 8);
  const small = enter('small', 1);
  second();
  await Promise.resolve();
  assert.deepEqual(order, ['first', 'second']);
  first();
  const leaveLarge = await large;
  (await small)();
  leaveLarge();

  assert.deepEqual(order, ['first', 'second', 'large', 'small']);
  assert.equal(gate.waiting, 0);
});

test('what is larger than the room is let in alone', async () => {
  const gate = turnstile(10, 1);
  const leave = await entered(gate.enter(50));
  const next = gate.enter(1);

  assert.equal(gate.waiting, 1);
  leave();
  (await entered(next))();
  assert.equal(gate.waiting, 0);
});

test('whoever would be one too many is turned away at once, and leaving twice makes no more room', async () => {
  const gate = turnstile(1, 1);
  const leave = await entered(gate.enter(1));
  const second = entered(gate.enter(1));

  assert.equal(gate.enter(1), undefined);
  leave();
  leave();
  const third = gate.enter(1);
  assert.equal(gate.waiting, 1);
  (await second)();
  (await entered(third))();
});
