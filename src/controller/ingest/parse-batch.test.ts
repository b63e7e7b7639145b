import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../detect/seeded-random.ts';
import type { ReadBatch } from '../../store/batch-stack-ids.ts';
import { beginOf } from '../../store/packed-lists.ts';
import { textAt } from '../../store/packed-texts.ts';
import { aBatch } from '../../store/testing/a-batch.ts';
import { checkBatch } from './check-batch.ts';
import { parseBatch } from './parse-batch.ts';
import { Refusal } from './refusal.ts';

/** As JSON.parse gives it. */
function unpacked({ places, stacks, strings, ...batch }: ReadBatch): object {
  const listsOf = (lists: ReadBatch['stacks']) =>
    Array.from(lists.ends, (end, index) => [...lists.numbers.subarray(beginOf(lists, index), end)]);
  return {
    ...batch,
    strings: Array.from(strings.ends, (_, index) => textAt(strings, index)),
    stacks: listsOf(stacks),
    places: listsOf(places),
  };
}

const outcomeOf = (read: () => object): object | string => {
  try {
    return read();
  } catch (error) {
    return error instanceof Refusal ? `${error.code}: ${error.message}` : String(error);
  }
};

const parsed = (json: string): object | string => outcomeOf(() => unpacked(parseBatch(Buffer.from(json))));

/** What it was to be before anything was taken out of it. */
const asAWhole = (json: string): object | string =>
  outcomeOf(() => ({ places: [], ...checkBatch(JSON.parse(json)) }));

const text = JSON.stringify({ ...aBatch(), places: [[3, 0, 1], []] });

test('a batch is read as JSON.parse reads it, with places and without, of names of every kind', () => {
  const names = ['run', 'naïve.Größe.测试', 'a]["b', '[GC thread]', 'C:\\jdk\\bin', '\t', '\u{1f525}', ''];
  for (const batch of [
    aBatch(),
    { ...aBatch(), places: [[3, 0, 1], []] },
    { ...aBatch(), places: [[], []] },
    { ...aBatch(), stacks: [[], [0], [2, 1, 0, 0]], pods: [] },
    { ...aBatch(), stacks: [], pods: [] },
    { ...aBatch(), strings: [], stacks: [[], []] },
    { ...aBatch(), strings: names },
    { ...aBatch(), strings: ['","stacks":[[0]],"x":["', 'handle', 'encode'] },
    {
      ...aBatch(),
      strings: Array.from({ length: 131_072 }, (_, at) => `name${at}`),
      stacks: [[131_071], [9]],
    },
  ]) {
    const json = JSON.stringify(batch);
    assert.deepEqual(parsed(json), asAWhole(json));
    assert.equal(typeof parsed(json), 'object', String(parsed(json)).slice(0, 200));
  }
});

test('lists that agents do not write are read, or refused, as they are as a whole', () => {
  const stacks = JSON.stringify(aBatch().stacks);
  for (const other of [
    ...['[[0, 1],[2]]', '[ [0],[1]]', '[[0],\n[1]]', '[[0],[1] ]'],
    ...['[[00],[1]]', '[[0],[1],]', '[[0,],[1]]', '[[,0],[1]]', '[[0][1]]', '[[0],,[1]]', '[[-0],[1]]'],
    ...['[[-1],[1]]', '[[0.5],[1]]', '[[1e0],[1]]', '[["0"],[1]]', '[[[0]],[1]]', '[0,[1]]', '[[0],1]'],
    ...['[[0],[1]', '[[0],[1', '[[0]]]', '[[null],[1]]', '[[0],null]', '{}', 'null'],
    ...[
      '[[4294967296],[1]]',
      '[[4294967298],[1]]',
      '[[9999999999999999999],[1]]',
      '[[3],[1]]',
      '[[0],[999999999]]',
    ],
    `[[${'0,'.repeat(1_024)}0],[1]]`,
    `[${'[],'.repeat(65_536)}[]]`,
  ]) {
    for (const json of [
      text.replace(`"stacks":${stacks}`, `"stacks":${other}`),
      text.replace('[[3,0,1],[]]', other),
    ]) {
      assert.deepEqual(parsed(json), wholeOrNotJson(json), other.slice(0, 60));
    }
  }
});

test('names that agents do not write are read, or refused, as they are as a whole', () => {
  const strings = JSON.stringify(aBatch().strings);
  for (const other of [
    ...[
      '["a", "b","c"]',
      '["\\u0061","b","c"]',
      '["a","b","c",]',
      '["a""b","c"]',
      '["a","b","c]',
      '["a\nb","b","c"]',
    ],
    ...['["a",1,"c"]', '[null,"b","c"]', '[["a"],"b","c"]', '"abc"', '[]', '["a","b"]'],
    JSON.stringify(['x'.repeat(1_024), 'ä'.repeat(1_024), 'c']),
    JSON.stringify(['x'.repeat(1_025), 'b', 'c']),
    JSON.stringify(Array.from({ length: 131_073 }, () => 'a')),
  ]) {
    const json = text.replace(`"strings":${strings}`, `"strings":${other}`);
    assert.deepEqual(parsed(json), wholeOrNotJson(json), other.slice(0, 60));
  }
});

test('what stands under such a key elsewhere is not the batch’s, and of a key that is there twice what is taken is checked', () => {
  const within = text.replace('{', '{"more":{"stacks":[[2],[2]],"strings":["z"],"places":[[1],[1]]},');

  const read = parsed(within);
  assert(typeof read === 'object');
  assert.deepEqual({ ...read, more: undefined }, { ...Object(asAWhole(text)), more: undefined });
  assert.deepEqual(parsed(text.replace('{', '{"stacks":[[7]],')), asAWhole(text));
  assert.match(String(parsed(text.replace(/}$/, ',"stacks":[[7]]}'))), /^BATCH_INCONSISTENT: a frame/);
});

test('bytes of a batch that were changed anywhere are read, or refused, as they are as a whole', () => {
  const random = seededRandom(38);
  for (let round = 0; round < 500; round++) {
    const at = Math.floor(random() * text.length);
    const byte = '[]{}",:\\0195ax \n'.charAt(Math.floor(random() * 16));
    const json = text.slice(0, at) + (random() < 0.5 ? byte : '') + text.slice(at + (random() < 0.5 ? 1 : 0));
    assert.deepEqual(parsed(json), wholeOrNotJson(json), json.slice(at - 20, at + 20));
  }
});

function wholeOrNotJson(json: string): object | string {
  try {
    JSON.parse(json);
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : '';
    return `BATCH_NOT_JSON: the ${Buffer.byteLength(json)} inflated bytes are not JSON: ${why}`;
  }
  return asAWhole(json);
}
