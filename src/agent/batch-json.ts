import type { Batch } from '../wire/batch-schema.ts';

const PIECE = 256; // list entries a piece: some 10 KB of text

/** The batch as JSON in pieces, so that it never stands in memory as one string. */
export function* batchJson(batch: Batch): Generator<string> {
  const { strings, stacks, places, pods, ...head } = batch;
  yield JSON.stringify(head).slice(0, -1);
  yield* listJson('strings', strings, PIECE);
  yield* listJson('stacks', stacks, PIECE);
  if (places) yield* listJson('places', places, PIECE);
  yield* listJson('pods', pods, 1);
  yield '}';
}

function* listJson(name: string, list: readonly unknown[], piece: number): Generator<string> {
  yield `,"${name}":[`;
  for (let at = 0; at < list.length; at += piece) {
    const text = JSON.stringify(list.slice(at, at + piece)).slice(1, -1);
    yield at === 0 ? text : `,${text}`;
  }
  yield ']';
}
