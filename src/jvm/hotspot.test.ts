import assert from 'node:assert/strict';
import { test } from 'node:test';
import { littleEndian } from '../symbols/little-endian.ts';
import { readHotspot } from './hotspot.ts';
import type { ReadMemory } from './read-memory.ts';
import { aJvm, firstMomentsOf, hotspotOf, RELEASES, type TestJvm } from './testing/a-jvm.ts';
import { flatUnwindLayout, UNWIND_FIELDS, type UnwindField, type UnwindLayout } from './unwind-layout.ts';

const UP_TO_22: readonly UnwindField[] = [
  'code_blob_code_begin',
  'code_blob_code_end',
  'nmethod_deopt_handler_begin',
  'nmethod_deopt_mh_handler_begin',
  'nmethod_scopes_data_begin',
  'nmethod_dependencies_offset',
  'nmethod_metadata_offset',
  'nmethod_metadata_width',
];
const FROM_25: readonly UnwindField[] = [
  'code_blob_code_offset',
  'code_blob_mutable_data',
  'code_blob_relocation_size',
  'nmethod_deopt_handler_offset',
  'nmethod_deopt_mh_handler_offset',
  'nmethod_scopes_data_offset',
  'nmethod_immutable_data',
  'nmethod_immutable_data_size',
  'java_thread_cont_entry',
  'continuation_entry_size',
  'continuation_entry_return_pc',
];

for (const release of RELEASES) {
  test(`the layout of JDK ${release} has the fields of that release, and leads to its code and threads`, async (t) => {
    const jvm = await aJvm(t, release);

    const layout = hotspotOf(jvm).layout;

    const missing = UNWIND_FIELDS.filter((field) => !layout.has(field));
    assert.deepEqual(missing, release === 25 ? UP_TO_22 : FROM_25);
    assert.equal(layout.get('unsigned5_excluded'), release === 17 ? 0n : 1n);
    assert.match(blobName(jvm, layout, layout.get('call_stub_return_address') ?? 0n), /^StubRoutines/);
    assert(stacksOfThreads(jvm, layout) >= 8);
  });
}

for (const release of RELEASES) {
  test(`JDK ${release} is starting until it can be read, and never odd`, async () => {
    const seen = await firstMomentsOf(release);

    const said = seen.map((outcome) => (outcome.kind === 'read' ? 'read' : outcome.reason));
    assert.equal(said.at(-1), 'read');
    assert.deepEqual(
      said.slice(0, -1).filter((each) => each !== 'JvmStarting' && each !== 'MemoryUnreadable'),
      [],
    );
  });
}

test('compact object headers, other collectors and a code cache in one piece change nothing of it', async (t) => {
  const plain = hotspotOf(await aJvm(t, 25)).layout;
  const flags = ['-XX:+UseCompactObjectHeaders', '-XX:+UseZGC', '-XX:-SegmentedCodeCache'];
  const compact = hotspotOf(await aJvm(t, 25, flags)).layout;

  const members = (layout: UnwindLayout) => [...layout].filter(([, value]) => value < 65_536n);
  assert.deepEqual(members(compact), members(plain));
});

test('the layout takes few reads', async (t) => {
  const jvm = await aJvm(t, 17);
  let reads = 0;

  readHotspot((address, length) => {
    reads++;
    return jvm.read(address, length);
  }, jvm.libjvm);

  assert(reads <= 25, `${reads} reads`);
});

test('the addon gets the numbers in order, and -1 for what is not there', async (t) => {
  const layout = hotspotOf(await aJvm(t, 17)).layout;

  const flat = flatUnwindLayout(layout);

  assert.equal(flat.length, UNWIND_FIELDS.length);
  assert.equal(flat[0], layout.get('code_cache_heaps'));
  assert.equal(flat[UNWIND_FIELDS.indexOf('nmethod_immutable_data')], -1n);
});

test('a JVM of which nothing can be read, or that has no tables, is said to be so', async (t) => {
  const jvm = await aJvm(t, 17);
  const reasonOf = (read: ReadMemory, exports = jvm.libjvm.exports) => {
    const outcome = readHotspot(read, { exports, bias: jvm.libjvm.bias });
    return outcome.kind === 'failed' ? outcome.reason : outcome.kind;
  };

  assert.equal(
    reasonOf(() => undefined),
    'MemoryUnreadable',
  );
  assert.equal(reasonOf(jvm.read, new Map()), 'NotHotSpot');
  assert.equal(
    reasonOf((_, length) => Buffer.alloc(length)),
    'JvmStarting',
  );
  assert.equal(
    reasonOf((_, length) => Buffer.alloc(length, 0xff)),
    'LayoutOdd',
  );
  assert.equal(
    reasonOf((_, length) => Buffer.alloc(length, '\x30\0\0\0\0\0\0\0', 'latin1')),
    'LayoutOdd',
  );
});

/** As the addon finds it: the heap, its segment map, the header before the blob. */
function blobName(jvm: TestJvm, layout: UnwindLayout, pc: bigint): string {
  const at = (field: UnwindField) => layout.get(field) ?? -1n;
  const array = pointer(jvm, at('code_cache_heaps'));
  const heaps = pointer(jvm, array + at('growable_array_data'));
  for (let i = 0n; i < BigInt(int(jvm, array + at('growable_array_len'))); i++) {
    const heap = pointer(jvm, heaps + 8n * i);
    const low = pointer(jvm, heap + at('code_heap_memory_low_boundary'));
    if (pc < low || pc >= pointer(jvm, heap + at('code_heap_memory_high_boundary'))) continue;
    const shift = BigInt(int(jvm, heap + at('code_heap_log2_segment_size')));
    const map = pointer(jvm, heap + at('code_heap_segmap_low_boundary'));
    let segment = (pc - low) >> shift;
    for (let back = -1; back !== 0; segment -= BigInt(back)) back = jvm.read(map + segment, 1)?.[0] ?? 0;
    const blob = low + (segment << shift) + at('heap_block_size');
    const name = jvm.read(pointer(jvm, blob + at('code_blob_name')), 32) ?? [];
    return Buffer.from(name).toString('latin1').split('\0')[0] ?? '';
  }
  return 'no heap';
}

/** How many Java threads there are; each has a stack that ends where it says. */
function stacksOfThreads(jvm: TestJvm, layout: UnwindLayout): number {
  const at = (field: UnwindField) => layout.get(field) ?? -1n;
  const list = pointer(jvm, at('java_thread_list'));
  const threads = pointer(jvm, list + at('threads_list_threads'));
  const count = int(jvm, list + at('threads_list_length'));
  for (let i = 0n; i < count; i++) {
    const base = pointer(jvm, pointer(jvm, threads + 8n * i) + at('java_thread_stack_base'));
    assert.equal(base % 4096n, 0n);
    assert(jvm.read(base - 4096n, 4096));
  }
  return count;
}

function pointer({ read }: TestJvm, address: bigint): bigint {
  return littleEndian(read(address, 8) ?? new Uint8Array(8)).u64(0);
}

function int({ read }: TestJvm, address: bigint): number {
  return littleEndian(read(address, 4) ?? new Uint8Array(4)).i32(0);
}
