import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCollapsed } from '../profile/collapsed.ts';
import { aRequestWindow } from '../requests/testing/a-request-window.ts';
import {
  createWindowDecoder,
  createWindowEncoder,
  encodeEndLine,
  type RecordedWindow,
} from './window-lines.ts';

const aWindow = (collapsed: string, startMs = 0): RecordedWindow => ({
  meta: {
    node: 'node-1',
    namespace: 'shop',
    pod: 'orders-1',
    podUid: 'uid-1',
    container: 'orders',
    startMs,
    endMs: startMs + 10_000,
    startedAtMs: 0,
    hz: 49,
    cpuUsec: 5_000_000,
    throttledUsec: 0,
    samples: 245,
    lost: 3,
    flags: '',
    jdk: '21',
    java: { samples: 200, interpreted: 20 },
  },
  stacks: parseCollapsed(collapsed),
});

test('windows survive a stream unchanged, and names and stacks are sent once', () => {
  const encode = createWindowEncoder();
  const decode = createWindowDecoder();
  const windows = [aWindow('main;a 2\nmain;b 1'), aWindow('main;a 5\nmain;a;c 1', 10_000)];

  const lines = windows.map(encode);

  assert.deepEqual(
    lines.map(decode),
    windows.map((window) => ({ kind: 'window', window })),
  );
  assert.equal(lines[1]?.match(/"strings":(\[[^\]]*\])/)?.[1], '["c"]');
});

test('the last line of an answer says how many windows it held', () => {
  assert.deepEqual(createWindowDecoder()(encodeEndLine(42)), { kind: 'end', windows: 42 });
});

test('a line that points past the tables of its stream is refused', () => {
  const encode = createWindowEncoder();
  encode(aWindow('main;a 2'));
  const second = encode(aWindow('main;a 3'));

  assert.throws(() => createWindowDecoder()(second), {
    code: 'WINDOW_LINE_INVALID',
    message: /points past the 0 stacks/,
  });
});

test('foreign lines are refused with the field that is wrong', () => {
  const decode = createWindowDecoder();
  assert.throws(() => decode('{'), { code: 'WINDOW_LINE_INVALID', message: /not JSON/ });
  assert.throws(() => decode('[]'), { message: 'a line is not an object' });
  assert.throws(() => decode('{"strings":7}'), { message: /^strings is not a list/ });
  assert.throws(() => decode('{"strings":["a"],"stacks":[[-1]],"counts":[]}'), { message: /whole number/ });
});

test('requests survive a stream, and foreign ones are refused', () => {
  const encode = createWindowEncoder();
  const window = { ...aWindow('main;a 2'), requests: aRequestWindow({ lost: 8 }) };
  const line = encode(window);

  assert.deepEqual(createWindowDecoder()(line), { kind: 'window', window });
  assert.throws(() => createWindowDecoder()(line.replace('"lost":8', '"lost":-8')), {
    code: 'WINDOW_LINE_INVALID',
    message: /lost: no count/,
  });
});

test('places survive a stream, and stacks that differ in nothing else share their frames', () => {
  const encode = createWindowEncoder();
  const decode = createWindowDecoder();
  const at = (line: number) => ({ frames: ['a', 'main'], places: [`A.kt:${line}`, ''], count: 1 });
  const window = { ...aWindow(''), stacks: [at(7), at(8), { frames: ['a', 'main'], count: 2 }] };

  const line = decode(encode(window));

  assert.deepEqual(line, { kind: 'window', window });
  const [first, second] = line.kind === 'window' ? line.window.stacks : [];
  assert.equal(first?.frames, second?.frames);
});

test('places that are not those of their stack are refused', () => {
  const line = (places: unknown) =>
    `{"strings":["a","main"],"stacks":[[0,1]],"places":${JSON.stringify(places)},"counts":[]}`;

  assert.throws(() => createWindowDecoder()(line([[1]])), { message: /1 entries for a stack of 2 frames/ });
  assert.throws(() => createWindowDecoder()(line([[3, 0]])), { message: /points past the 2 strings/ });
  assert.throws(() => createWindowDecoder()(line([[1, 0], []])), { message: /not a list of at most 1/ });
});
