import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChainSource, type ContinuationClass, walkChain } from './coroutine-chain.ts';

const metadata = { className: 'shop.Orders', methodName: 'handle', file: 'Orders.kt', lines: [58, 59] };
const [FUNCTION, SCOPE, JOB, STRING] = [0x100n, 0x200n, 0x300n, 0x400n];
const CLASSES: ReadonlyMap<bigint, ContinuationClass> = new Map<bigint, ContinuationClass>([
  [FUNCTION, { kind: 'function', className: 'shop/Orders$handle$1', completion: 12, label: 16, metadata }],
  [SCOPE, { kind: 'passing on', className: 'kotlinx/coroutines/DispatchedCoroutine', continuation: 24 }],
  [JOB, { kind: 'coroutine', className: 'kotlinx/coroutines/StandaloneCoroutine' }],
  [STRING, { kind: 'other' }],
]);

interface Link {
  readonly class: bigint;
  readonly next?: bigint;
  readonly label?: number;
}

/** A heap of objects by address; what is not there cannot be read. */
function aHeap(objects: Readonly<Record<number, Link>>, collections: number | undefined = 7): ChainSource {
  const at = (address: bigint) => objects[Number(address)];
  return {
    heap: {
      classOf: (object) => at(object)?.class,
      reference: (object) => at(object)?.next ?? 0n,
      int: (object) => at(object)?.label,
      byteArray: () => undefined,
      collections: () => collections,
    },
    classAt: (klass) => CLASSES.get(klass),
  };
}

test('callers come innermost first, with the line they wait in, up to the coroutine', () => {
  const source = aHeap({
    1: { class: FUNCTION, next: 2n, label: 1 },
    2: { class: SCOPE, next: 3n },
    3: { class: FUNCTION, next: 4n, label: 2 },
    4: { class: JOB },
  });

  const chain = walkChain(source, 1n, 7);

  assert(chain.kind === 'chain');
  assert.deepEqual(
    chain.frames.map(({ line }) => line),
    [58, 59],
  );
  assert.deepEqual([chain.root, chain.rootClass], [4n, 'kotlinx/coroutines/StandaloneCoroutine']);
});

test('a label of a function that runs has its highest bit set, and one of none has no line', () => {
  const lineAt = (label: number | undefined) => {
    const link: Link = { class: FUNCTION, next: 2n, ...(label === undefined ? {} : { label }) };
    const chain = walkChain(aHeap({ 1: link, 2: { class: JOB } }), 1n, 7);
    return chain.kind === 'chain' ? chain.frames[0]?.line : chain.reason;
  };

  assert.deepEqual(
    [lineAt(-0x8000_0000 + 2), lineAt(0), lineAt(99), lineAt(undefined)],
    [59, undefined, undefined, undefined],
  );
});

// situation                                 → what is said of the chain
const NONE: readonly (readonly [string, string, ChainSource])[] = [
  ['a collection ran since the sample', 'HeapMoved', aHeap({ 1: { class: JOB } }, 8)],
  [
    'a collection is under way',
    'HeapMoved',
    { ...aHeap({ 1: { class: JOB } }), heap: { ...aHeap({}).heap, collections: () => undefined } },
  ],
  ['the slot holds some other object', 'NotAContinuation', aHeap({ 1: { class: STRING } })],
  ['the slot holds no object', 'NotAContinuation', aHeap({})],
  ['a caller is null', 'NotAContinuation', aHeap({ 1: { class: FUNCTION, next: 0n } })],
  ['a class cannot be read', 'NotAContinuation', aHeap({ 1: { class: 0x999n } })],
  [
    'the chain ends in a callback',
    'NoJob',
    aHeap({ 1: { class: FUNCTION, next: 2n }, 2: { class: STRING } }),
  ],
  [
    'the chain is a circle',
    'TooLong',
    aHeap({ 1: { class: FUNCTION, next: 2n }, 2: { class: SCOPE, next: 1n } }),
  ],
];

for (const [situation, reason, source] of NONE) {
  test(`no chain rather than a wrong one: ${situation}`, () => {
    assert.deepEqual(walkChain(source, 1n, 7), { kind: 'none', reason });
  });
}
