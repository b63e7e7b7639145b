/** For tests: everything src/jvm can tell of a JVM that runs test/jvm/Chains.kt, as text. */
import assert from 'node:assert/strict';
import { type ClassReader, createClassReader } from '../class-reader.ts';
import { type ChainSource, type CoroutineChain, continuationClass, walkChain } from '../coroutine-chain.ts';
import { coroutineName } from '../coroutine-name.ts';
import { foreignReader } from '../foreign-reader.ts';
import { createHeapReader, type HeapReader } from '../heap-reader.ts';
import type { Hotspot, LoadedLibjvm } from '../hotspot.ts';
import { javaFrame } from '../java-frame.ts';
import type { ReadMemory } from '../read-memory.ts';
import { UNWIND_FIELDS } from '../unwind-layout.ts';
import { readFlags } from '../vm-flags.ts';
import { hotspotOf } from './a-jvm.ts';
import { loadedClass, methodsOf } from './loaded-classes.ts';

interface Jvm {
  readonly read: ReadMemory;
  readonly libjvm: LoadedLibjvm;
}

const FLAGS = [
  'DebugNonSafepoints',
  'PreserveFramePointer',
  'UseCompactObjectHeaders',
  'UseCompressedOops',
  'UseSerialGC',
];
const BCIS = [0, 10, 20, 40, 80];
const MAX_HELD = 100;

export function survey(jvm: Jvm): string {
  const hotspot = hotspotOf(jvm);
  const sections = [
    ['layout', layoutLines(hotspot)],
    ['flags', flagLines(jvm, hotspot)],
    ['lines', methodLines(jvm, hotspot, 'shop/Orders')],
    ['chains', chainLines(jvm, hotspot)],
  ] as const;
  return sections
    .map(([title, lines]) => `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`)
    .join('\n');
}

/** Addresses differ from run to run, and are only said to be there. */
function layoutLines({ layout }: Hotspot): string[] {
  return UNWIND_FIELDS.map((field) => {
    const value = layout.get(field);
    return `${field} ${value === undefined ? '-' : value > 65_535n ? 'an address' : value}`;
  });
}

function flagLines({ read }: Jvm, { structs }: Hotspot): string[] {
  const flags = readFlags(read, structs, FLAGS) ?? assert.fail('no flags');
  return Array.from(flags, ([name, { on, origin }]) => `${name} ${on} ${origin}`).toSorted();
}

function methodLines({ read }: Jvm, hotspot: Hotspot, className: string): string[] {
  const excluded = hotspot.layout.get('unsigned5_excluded') === 1n ? 1 : 0;
  const methods = methodsOf(read, hotspot, loadedClass(read, hotspot.structs, className));
  return methods
    .map((method) => {
      const { name, file } = javaFrame(method, 0, excluded);
      const lines = BCIS.map((bci) => javaFrame(method, bci, excluded).line ?? '-');
      return `${name} ${method.signature} ${file} ${lines.join(' ')}`;
    })
    .toSorted();
}

function chainLines({ read }: Jvm, hotspot: Hotspot): string[] {
  const classes = createClassReader(read, hotspot) ?? assert.fail('no classes');
  const heap = createHeapReader(read, hotspot);
  assert(heap.kind === 'reader');
  const source: ChainSource = { heap: heap.reader, classAt: (klass) => continuationClass(classes, klass) };
  const collections = heap.reader.collections() ?? assert.fail('a collection runs');
  return heldContinuations(read, hotspot, classes, heap.reader)
    .toSorted(([a], [b]) => a - b)
    .map(([id, object]) => {
      const chain = walkChain(source, object, collections);
      const name =
        chain.kind === 'chain' ? coroutineName(heap.reader, classes, chain.root, collections) : undefined;
      return `${id} ${chainText(chain)}${name === undefined ? '' : ` "${name}"`}`;
    });
}

function chainText(chain: CoroutineChain): string {
  if (chain.kind === 'none') return chain.reason;
  const frames = chain.frames.map(({ className, metadata, line }) =>
    metadata ? `${metadata.className}.${metadata.methodName}(${metadata.file}:${line})` : className,
  );
  return [...frames, `[${chain.rootClass}]`].join(' <= ');
}

/** Of the list that begins in the thread "keeper": id and address. */
export function heldContinuations(
  read: ReadMemory,
  { structs, layout }: Hotspot,
  classes: ClassReader,
  heap: HeapReader,
): [number, bigint][] {
  const memory = foreignReader(read);
  const threadObject = BigInt(structs.field('JavaThread', '_threadObj')?.offset ?? assert.fail('no threads'));
  const list = memory.pointer(layout.get('java_thread_list') ?? 0n);
  const count = memory.i32(list + (layout.get('threads_list_length') ?? 0n));
  const threads = memory.record(memory.pointer(list + (layout.get('threads_list_threads') ?? 0n)), 8 * count);
  const objects = Array.from({ length: count }, (_, i) =>
    memory.pointer(memory.pointer(threads.u64(8 * i) + threadObject)),
  );
  const isKeeper = (object: bigint) => classes.nameOf(heap.classOf(object) ?? 0n) === 'shop/Keeper';
  const fieldOf = (object: bigint, name: string) =>
    classes.fieldOffset(heap.classOf(object) ?? 0n, name) ?? assert.fail(name);
  const follow = (object: bigint, name: string) => heap.reference(object, fieldOf(object, name)) ?? 0n;
  const held: [number, bigint][] = [];
  let each = follow(objects.find(isKeeper) ?? assert.fail('no keeper'), 'first');
  while (each !== 0n && held.length < MAX_HELD) {
    held.push([heap.int(each, fieldOf(each, 'id')) ?? 0, follow(each, 'continuation')]);
    each = follow(each, 'next');
  }
  return held;
}
