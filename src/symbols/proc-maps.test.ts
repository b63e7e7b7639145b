import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createProcMapsParser, type ProcMaps } from './proc-maps.ts';

const parse = (...chunks: (string | Uint8Array)[]) => {
  const parser = createProcMapsParser((bytes) => Buffer.from(bytes).toString());
  for (const chunk of chunks) parser.feed(Buffer.from(chunk));
  return parser.finish();
};

const nameAt = (maps: ProcMaps, address: number): string | undefined => {
  const region = maps.regionAt(address);
  return region?.kind === 'file' ? region.name : undefined;
};

const JVM = `00400000-00401000 r--p 00000000 fe:00 1                                  /opt/jdk/bin/java
00401000-00402000 r-xp 00001000 fe:00 1                                  /opt/jdk/bin/java
7f0000000000-7f0000270000 rwxp 00000000 00:00 0
7f0000270000-7f0003c00000 ---p 00000000 00:00 0
7f1000000000-7f1001000000 r-xp 00251000 fe:00 2                          /opt/jdk/lib/server/libjvm.so
7f1002000000-7f1002100000 r-xp 00000000 fe:00 3                          /usr/lib/lib with space.so (deleted)
7f1003000000-7f1003100000 r-xp 00000000 00:01 4                          /memfd:jit (deleted)
7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0                          [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`;

test('executable regions are named by their file, and made code by none', () => {
  const maps = parse(JVM);

  assert.equal(nameAt(maps, 0x401800), '[java]');
  assert.deepEqual(maps.regionAt(0x7f0000000010), { kind: 'anonymous' });
  assert.equal(nameAt(maps, 0x7f1000500000), '[libjvm.so]');
  assert.equal(nameAt(maps, 0x7f1002000000), '[lib with space.so]');
  assert.deepEqual(maps.regionAt(0x7f1003000000), { kind: 'anonymous' });
  assert.equal(nameAt(maps, 0x7ffc00000100), '[vdso]');
});

test('a region says where its file is mapped, so that an address can be found in the file', () => {
  const region = parse(JVM).regionAt(0x7f1000500000);

  assert.deepEqual(region?.kind === 'file' && region.mapped, {
    path: '/opt/jdk/lib/server/libjvm.so',
    address: 0x7f1000000000,
    fileOffset: 0x251000,
  });
});

test('libjvm is found, with what its load bias is reckoned from', () => {
  const maps = parse(JVM);

  assert.deepEqual(maps.libjvm, {
    path: '/opt/jdk/lib/server/libjvm.so',
    address: 0x7f1000000000,
    fileOffset: 0x251000,
  });
});

test('what is not executable, or not mapped, is no region', () => {
  const maps = parse(JVM);

  assert.equal(maps.regionAt(0x400800), undefined);
  assert.equal(maps.regionAt(0x7f0000300000), undefined);
  assert.equal(maps.regionAt(0x402000), undefined);
});

test('a path cannot break what is printed or folded', () => {
  const maps = parse(`1000-2000 r-xp 00000000 fe:00 1 /tmp/a;b\u001b[2J${'c'.repeat(3000)}\n`);

  const region = maps.regionAt(0x1000);
  assert(region?.kind === 'file');
  assert.match(region.name, /^\[a\?b\?\[2Jc+\]$/);
  assert(region.name.length <= 130);
});

test('ten thousand regions are cut at the bound, and the rest is counted', () => {
  const line = (i: number) =>
    `${(i * 8192 + 4096).toString(16)}-${(i * 8192 + 8192).toString(16)} r-xp 0 0:0 0 /f${i}\n`;
  const maps = parse(Array.from({ length: 10_000 }, (_, i) => line(i)).join(''));

  assert.equal(maps.dropped, 10_000 - 8192);
  assert.equal(nameAt(maps, 4096), '[f0]');
});

test('any bytes are read without an error', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => void parse(...chunks)));
});
