/** The layout of one JVM, read and checked: what is odd here would be nonsense in every stack. */
import { type ForeignReader, foreignReader } from './foreign-reader.ts';
import { LayoutError } from './layout-error.ts';
import { LAYOUT_SOURCES, type LivingVm } from './layout-sources.ts';
import type { ReadMemory } from './read-memory.ts';
import { UNWIND_FIELDS, type UnwindField, type UnwindLayout } from './unwind-layout.ts';
import type { VmStructs } from './vm-structs.ts';

type Names = readonly UnwindField[];

/** Of each line one form has to be there, whole: releases differ in which. */
const EITHER: readonly (readonly [Names, Names])[] = [
  [
    ['code_blob_code_begin', 'code_blob_code_end'],
    ['code_blob_code_offset', 'code_blob_data_offset'],
  ],
  [['nmethod_deopt_handler_begin'], ['nmethod_deopt_handler_offset']],
  [
    ['nmethod_scopes_data_begin', 'nmethod_dependencies_offset'],
    ['nmethod_scopes_data_offset', 'nmethod_immutable_data', 'nmethod_immutable_data_size'],
  ],
  [
    ['nmethod_metadata_offset', 'nmethod_metadata_width'],
    ['code_blob_mutable_data', 'code_blob_relocation_size'],
  ],
];
/** Without them some frames stay unexplained; the rest is right. */
const OPTIONAL: Names = [
  'code_blob_oop_maps',
  'immutable_oop_map_set_count',
  'nmethod_deopt_mh_handler_begin',
  'nmethod_deopt_mh_handler_offset',
  'java_thread_cont_entry',
  'continuation_entry_size',
  'continuation_entry_return_pc',
];
const ADDRESSES: Names = [
  'code_cache_heaps',
  'java_thread_list',
  'continuation_entry_return_pc',
  'call_stub_return_address',
  'total_collections_address',
  'is_gc_active_address',
];
/** Words from a frame pointer, mostly negative. */
const FRAME_OFFSETS: Names = [
  'entry_frame_call_wrapper_offset',
  'interpreter_frame_sender_sp_offset',
  'interpreter_frame_last_sp_offset',
];

const MAX_MEMBER_OFFSET = 16_384n; // longest seen: 2000, in JavaThread
const MAX_FRAME_OFFSET = 64n; // words; longest seen: 6
const MAX_ADDRESS = 2n ** 57n; // five levels of pages
const MAX_CODE_HEAPS = 8; // 3 when segmented, else 1
const MAX_CODE_HEAP_BYTES = 2n ** 31n; // CODE_CACHE_SIZE_LIMIT
const [MIN_LOG2_SEGMENT, MAX_LOG2_SEGMENT] = [4, 12]; // 7, CodeCacheSegmentSize=128

/** Throws LayoutError and UnreadableMemory. */
export function readLayout(read: ReadMemory, structs: VmStructs): UnwindLayout {
  const memory = foreignReader(read);
  const vm: LivingVm = {
    structs,
    valueOf(type, name) {
      const address = structs.address(type, name);
      return address === undefined ? undefined : memory.pointer(address);
    },
  };
  const layout = new Map<UnwindField, bigint>();
  for (const field of UNWIND_FIELDS) {
    const value = LAYOUT_SOURCES[field](vm);
    if (value !== undefined) layout.set(field, value);
  }
  checkComplete(layout);
  for (const [field, value] of layout) checkPlausible(field, value);
  checkCodeHeaps(memory, layout);
  return layout;
}

function checkComplete(layout: UnwindLayout): void {
  const isWhole = (names: Names) => names.every((field) => layout.has(field));
  const alternatives = new Set(EITHER.flat(2));
  const missing = UNWIND_FIELDS.filter(
    (field) => !layout.has(field) && !alternatives.has(field) && !OPTIONAL.includes(field),
  );
  for (const [one, other] of EITHER) if (!isWhole(one) && !isWhole(other)) missing.push(...other);
  if (missing.length === 0) return;
  throw new LayoutError('LayoutIncomplete', `this JVM does not tell ${missing.join(', ')}`);
}

function checkPlausible(field: UnwindField, value: bigint): void {
  if (ADDRESSES.includes(field)) {
    if (value > 0n && value < MAX_ADDRESS) return;
    if (value === 0n) throw new LayoutError('JvmStarting', `${field} is not set yet`);
  } else if (FRAME_OFFSETS.includes(field)) {
    if (-MAX_FRAME_OFFSET <= value && value <= MAX_FRAME_OFFSET) return;
  } else if (value >= 0n && value <= MAX_MEMBER_OFFSET) return;
  throw new LayoutError('LayoutOdd', `${field} is said to be ${value}`);
}

/** What the tables say of the code heaps has to lead to code heaps, with the JVM's own stubs in one of them. */
function checkCodeHeaps(memory: ForeignReader, layout: UnwindLayout): void {
  const heaps = readCodeHeaps(memory, layout);
  for (const { low, high, log2 } of heaps) {
    const isSane = low < high && high - low <= MAX_CODE_HEAP_BYTES;
    if (isSane && MIN_LOG2_SEGMENT <= log2 && log2 <= MAX_LOG2_SEGMENT) continue;
    const range = `0x${low.toString(16)} to 0x${high.toString(16)}`;
    throw new LayoutError(
      'LayoutOdd',
      `a code heap is said to lie at ${range}, in pieces of 2^${log2} bytes`,
    );
  }
  const stub = layout.get('call_stub_return_address') ?? 0n;
  if (heaps.some(({ low, high }) => low <= stub && stub < high)) return;
  throw new LayoutError('LayoutOdd', 'the stub that calls Java lies in no code heap');
}

interface CodeHeap {
  readonly low: bigint;
  readonly high: bigint;
  /** Of its segments' size. */
  readonly log2: number;
}

function readCodeHeaps(memory: ForeignReader, layout: UnwindLayout): CodeHeap[] {
  const at = (field: UnwindField) => Number(layout.get(field) ?? 0n);
  const array = memory.pointer(layout.get('code_cache_heaps') ?? 0n);
  if (array === 0n) throw new LayoutError('JvmStarting', 'there are no code heaps yet');
  const [length, data] = [at('growable_array_len'), at('growable_array_data')];
  const head = memory.record(array, Math.max(length + 4, data + 8));
  const count = head.i32(length);
  if (count === 0) throw new LayoutError('JvmStarting', 'there is no code heap yet');
  if (count < 0 || count > MAX_CODE_HEAPS)
    throw new LayoutError('LayoutOdd', `there are ${count} code heaps`);
  const pointers = memory.record(head.u64(data), 8 * count);
  const [low, high] = [at('code_heap_memory_low_boundary'), at('code_heap_memory_high_boundary')];
  const log2 = at('code_heap_log2_segment_size');
  return Array.from({ length: count }, (_, i) => {
    const heap = memory.record(pointers.u64(8 * i), Math.max(low + 8, high + 8, log2 + 4));
    return { low: heap.u64(low), high: heap.u64(high), log2: heap.i32(log2) };
  });
}
