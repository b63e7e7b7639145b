import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { createClassReader } from './class-reader.ts';
import { coroutineName } from './coroutine-name.ts';
import { createHeapReader } from './heap-reader.ts';
import { aJvm, hotspotOf, jdkHome, type Release } from './testing/a-jvm.ts';

const COLLECTORS: readonly (readonly [Release, string])[] = [
  [17, 'G1'],
  [21, 'Parallel'],
  [25, 'Serial'],
  [25, 'G1'],
];

for (const [release, collector] of COLLECTORS) {
  test(`a collection of ${collector} on JDK ${release} is counted`, async (t) => {
    const jvm = await aJvm(t, release, [`-XX:+Use${collector}GC`]);
    const heap = createHeapReader(jvm.read, hotspotOf(jvm));
    assert(heap.kind === 'reader');
    const before = heap.reader.collections();

    execFileSync(`${jdkHome(17)}/bin/jcmd`, [String(jvm.pid), 'GC.run']);

    assert(before !== undefined);
    assert((heap.reader.collections() ?? 0) > before);
  });
}

for (const reason of ['ZGC', 'Shenandoah'] as const) {
  test(`${reason} moves objects while threads run, and is refused by its name`, async (t) => {
    const jvm = await aJvm(t, 25, [reason === 'ZGC' ? '-XX:+UseZGC' : '-XX:+UseShenandoahGC']);

    assert.deepEqual(createHeapReader(jvm.read, hotspotOf(jvm)), { kind: 'unsupported', reason });
  });
}

test('an address that is no object has no class, no fields and no name', async (t) => {
  const jvm = await aJvm(t, 17, ['-XX:+UseSerialGC']);
  const hotspot = hotspotOf(jvm);
  const heap = createHeapReader(jvm.read, hotspot);
  const classes = createClassReader(jvm.read, hotspot);
  assert(heap.kind === 'reader' && classes);

  for (const address of [0n, 8n, 0x7fff_ffff_f000n, 2n ** 63n]) {
    assert.equal(heap.reader.classOf(address), undefined);
    assert.equal(heap.reader.reference(address, 12), undefined);
    assert.equal(heap.reader.byteArray(address, 100), undefined);
    assert.equal(coroutineName(heap.reader, classes, address, heap.reader.collections() ?? -1), undefined);
    assert.equal(classes.nameOf(address), undefined);
    assert.equal(classes.lineageOf(address), undefined);
  }
});
