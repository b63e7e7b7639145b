import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HEAP_FIELDS, readHeapLayout } from './heap-layout.ts';
import { hotspotOf } from './testing/a-jvm.ts';
import { openRecording } from './testing/recorded-memory.ts';

type HeapField = (typeof HEAP_FIELDS)[number];

// recording        → what its heap lacks
const ABSENT: readonly (readonly [string, readonly HeapField[]])[] = [
  ['jdk-17', ['mark_klass_shift', 'instance_klass_fieldinfo_stream']],
  [
    'jdk-21',
    [
      'narrow_oop_base',
      'narrow_oop_shift',
      'mark_klass_shift',
      'instance_klass_fields',
      'instance_klass_java_fields_count',
    ],
  ],
  ['jdk-25', ['mark_klass_shift', 'instance_klass_fields', 'instance_klass_java_fields_count']],
  ['jdk-25-compact', ['object_klass', 'instance_klass_fields', 'instance_klass_java_fields_count']],
];

for (const [name, absent] of ABSENT) {
  test(`${name}: the numbers of its heap are one table, -1 for what it lacks`, () => {
    const jvm = openRecording(
      fileURLToPath(new URL(`../../test/fixtures/jvm/${name}.memory.br`, import.meta.url)),
    );

    const outcome = readHeapLayout(jvm.read, hotspotOf(jvm));

    assert(outcome.kind === 'layout');
    assert.deepEqual(
      HEAP_FIELDS.filter((_, i) => outcome.layout[i] === -1n),
      absent,
    );
  });
}

test('where memory cannot be read the heap is not known', () => {
  const jvm = openRecording(
    fileURLToPath(new URL('../../test/fixtures/jvm/jdk-17.memory.br', import.meta.url)),
  );

  const outcome = readHeapLayout(() => undefined, hotspotOf(jvm));

  assert.deepEqual(outcome, { kind: 'unsupported', reason: 'HeapUnknown' });
});
