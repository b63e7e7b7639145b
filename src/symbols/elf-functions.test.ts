import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { type ReadFileBytes, readElf } from './elf.ts';
import { type ElfFunctions, readElfFunctions } from './elf-functions.ts';
import { openFile } from './testing/open-file.ts';

const LIBJVM = '/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so';
const LIBC = /(\S+\/libc\.so\.6)$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[1] ?? '';

function functionsOf(t: TestContext, path: string): ElfFunctions {
  const file = openFile(path);
  t.after(() => file[Symbol.dispose]());
  const elf = readElf(file.read);
  const functions = elf && readElfFunctions(elf, file.read);
  assert(functions);
  return functions;
}

for (const [path, table] of [
  [LIBJVM, []],
  [LIBC, ['-D']],
] as const) {
  test(`the functions of ${path} are those of nm`, (t) => {
    const functions = functionsOf(t, path);
    const printed = execFileSync('nm', [...table, '-S', '--defined-only', path], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const symbols = [...printed.matchAll(/^(\w{16}) (\w{16}) [tTwWiI] ([^@\n]+)/gm)].map(
      ([, address = '', size = '', name = '']) => ({
        address: Number.parseInt(address, 16),
        size: Number.parseInt(size, 16),
        name,
      }),
    );
    const aliases = Map.groupBy(symbols, ({ address }) => address);
    assert(symbols.length > 1000);

    const wrong = symbols.filter(({ address, size }) => {
      const names = aliases.get(address)?.map(({ name }) => name.slice(0, 1024)) ?? [];
      return size > 0 && !names.includes(functions.nameAt(address) ?? '');
    });

    assert.deepEqual(wrong, []);
  });
}

test('an address between functions has no name', (t) => {
  const functions = functionsOf(t, LIBC);

  assert.equal(functions.nameAt(0), undefined);
  assert.equal(functions.nameAt(2 ** 40), undefined);
});

test('a file that grew shorter since has fewer names, and no errors', () => {
  const whole = readFileSync(LIBC);
  let length = whole.length;
  const read: ReadFileBytes = (offset, bytes) =>
    offset + bytes <= length ? whole.subarray(offset, offset + bytes) : undefined;
  const elf = readElf(read);
  const functions = elf && readElfFunctions(elf, read);
  const malloc = Number(
    /^(\w+) \S malloc/m.exec(execFileSync('nm', ['-D', LIBC], { encoding: 'utf8' }))?.[1]?.replace(/^/, '0x'),
  );
  assert(functions);
  assert.match(functions.nameAt(malloc) ?? '', /malloc$/);

  length = 4096;

  assert.equal(functions.nameAt(malloc), undefined);
});
