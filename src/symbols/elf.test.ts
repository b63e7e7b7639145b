import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { loadBias, type ReadFileBytes, readElf } from './elf.ts';
import { readExports } from './elf-symbols.ts';
import { functionsAt } from './functions-at.ts';
import { openFile } from './testing/open-file.ts';

const LIBJVM = '/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so';
const LIBC = /(\S+\/libc\.so\.6)$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[1] ?? '';

function opened(t: TestContext, path: string): ReadFileBytes {
  const file = openFile(path);
  t.after(() => file[Symbol.dispose]());
  return file.read;
}

const readBytes =
  (file: Uint8Array): ReadFileBytes =>
  (offset, length) =>
    offset + length <= file.length ? file.subarray(offset, offset + length) : undefined;

for (const [path, prefix] of [
  [LIBJVM, 'gHotSpotVM'],
  [LIBJVM, 'JVM_'],
  [process.execPath, 'napi_'],
] as const) {
  test(`what ${path} exports as ${prefix}* is what nm says`, (t) => {
    const read = opened(t, path);
    const elf = readElf(read);
    assert(elf);

    const exports = readExports(elf, read, prefix);

    const expected = execFileSync('nm', ['-D', '--defined-only', path], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    })
      .split('\n')
      .flatMap((line) => {
        const [, value, name] = /^([0-9a-f]{16}) \S ([^@]+)/.exec(line) ?? [];
        return value && name?.startsWith(prefix) ? [[name, BigInt(`0x${value}`)] as const] : [];
      });
    assert(expected.length > 20);
    assert.deepEqual(exports, new Map(expected));
  });
}

test('the build id is what readelf says', (t) => {
  const elf = readElf(opened(t, LIBJVM));

  const notes = execFileSync('readelf', ['-n', LIBJVM], { encoding: 'utf8' });
  assert.equal(elf?.buildId, /Build ID: (\w+)/.exec(notes)?.[1]);
});

test('every mapping of a library gives the same load bias', (t) => {
  const elf = readElf(opened(t, LIBC));
  assert(elf);

  const mappings = readFileSync('/proc/self/maps', 'utf8').matchAll(
    /^(\w+)-\S+ \S+ (\w+) .*\/libc\.so\.6$/gm,
  );
  const biases = [...mappings].map(([, start, offset]) =>
    loadBias(elf, BigInt(`0x${start}`), BigInt(`0x${offset}`)),
  );

  assert(biases.length >= 3);
  assert.equal(new Set(biases).size, 1);
  assert.equal((biases[0] ?? 1n) % 4096n, 0n);
});

test('a byte of no segment gives no load bias', (t) => {
  const elf = readElf(opened(t, LIBC));

  assert(elf);
  assert.equal(loadBias(elf, 0x7f00_0000_0000n, 1n << 40n), undefined);
});

test('what is no ELF64 file is none', () => {
  for (const file of ['', '\x7fELF', '#!/bin/sh\n'.repeat(20), `\x7fELF\x01\x01${'\0'.repeat(100)}`]) {
    assert.equal(readElf(readBytes(Buffer.from(file, 'latin1'))), undefined);
  }
});

test('a library whose sections were stripped exports nothing that can be found', (t) => {
  const file = Buffer.from(readFileSync(LIBC));
  file.fill(0, 40, 48); // e_shoff
  file.fill(0, 58, 64); // e_shentsize, e_shnum, e_shstrndx
  const elf = readElf(readBytes(file));

  assert(elf);
  assert.equal(elf.segments.length, readElf(opened(t, LIBC))?.segments.length);
  assert.equal(readExports(elf, readBytes(file), 'malloc'), undefined);
});

test('a damaged or cut file is read without an error', () => {
  const whole = readFileSync(LIBC);
  const damage = fc.array(fc.tuple(fc.nat({ max: 2000 }), fc.integer({ min: 0, max: 255 })), {
    maxLength: 40,
  });
  const sections = Number(whole.readBigUInt64LE(40));
  fc.assert(
    fc.property(damage, damage, fc.option(fc.nat(whole.length)), (atStart, atSections, cut) => {
      const file = Buffer.from(whole.subarray(0, cut ?? whole.length));
      for (const [offset, byte] of atStart) if (offset < file.length) file[offset] = byte;
      for (const [offset, byte] of atSections)
        if (sections + offset < file.length) file[sections + offset] = byte;
      const elf = readElf(readBytes(file));
      if (elf) readExports(elf, readBytes(file), 'mal');
      if (elf) functionsAt(elf, readBytes(file), [0x30_000]);
      if (elf) loadBias(elf, 0x7f00_0000_0000n, 0n);
    }),
    { numRuns: 200 },
  );
});
