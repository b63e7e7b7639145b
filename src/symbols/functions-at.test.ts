import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { type ReadFileBytes, readElf } from './elf.ts';
import { functionsAt } from './functions-at.ts';
import { openFile } from './testing/open-file.ts';

const LIBJVM = '/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so';
const LIBC = /(\S+\/libc\.so\.6)$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[1] ?? '';

function lookUp(t: TestContext, path: string, addresses: readonly number[]) {
  const file = openFile(path);
  t.after(() => file[Symbol.dispose]());
  const elf = readElf(file.read);
  assert(elf);
  return functionsAt(elf, file.read, addresses);
}

interface Printed {
  readonly address: number;
  readonly size: number;
  readonly name: string;
}

function printedBy(path: string, table: readonly string[]): readonly Printed[] {
  const options = { encoding: 'utf8', maxBuffer: 1 << 28 } as const;
  const text = execFileSync('nm', [...table, '-S', '--defined-only', path], options);
  return [...text.matchAll(/^(\w{16}) (\w{16}) [tTwWiI] ([^@\n]+)/gm)].map(
    ([, address = '', size = '', name = '']) => ({
      address: Number.parseInt(address, 16),
      size: Number.parseInt(size, 16),
      name: name.slice(0, 256),
    }),
  );
}

for (const [path, table] of [
  [LIBJVM, []],
  [LIBC, ['-D']],
] as const) {
  test(`the functions of ${path} are those of nm, looked up together or few at a time`, (t) => {
    const printed = printedBy(path, table).filter(({ size }) => size > 0);
    const aliases = Map.groupBy(printed, ({ address }) => address);
    assert(printed.length > 1000);
    const isRight = ({ address }: Printed, symbol: string | undefined) =>
      aliases.get(address)?.some(({ name }) => name === symbol) === true;

    const all = lookUp(
      t,
      path,
      printed.map(({ address }) => address),
    );
    const few = printed.filter((_, i) => i % 997 === 0);
    const ofFew = lookUp(
      t,
      path,
      few.map(({ address }) => address),
    );

    assert.deepEqual(
      printed.filter((one, i) => !isRight(one, all[i]?.symbol)),
      [],
    );
    assert.deepEqual(
      few.filter((one, i) => !isRight(one, ofFew[i]?.symbol)),
      [],
    );
  });
}

test('an address between functions has no name, and says how far that is so', (t) => {
  const [before, behind] = lookUp(t, LIBC, [1, 2 ** 40]);

  assert.equal(before?.symbol, undefined);
  assert.equal(before?.start, 0);
  assert(before.end > 1 && before.end < 2 ** 30);
  assert.equal(behind?.symbol, undefined);
  assert((behind?.start ?? 0) < 2 ** 30);
});

test('a file that ends before its symbols do names fewer functions, without errors', (t) => {
  const whole = readFileSync(LIBC);
  const malloc = printedBy(LIBC, ['-D']).find(({ name }) => name === 'malloc');
  assert(malloc);
  const elf = readElf((offset, bytes) => whole.subarray(offset, offset + bytes));
  assert(elf);
  const cut: ReadFileBytes = (offset, bytes) =>
    offset + bytes <= 4096 ? whole.subarray(offset, offset + bytes) : undefined;

  assert.match(lookUp(t, LIBC, [malloc.address + 1])[0]?.symbol ?? '', /malloc$/);
  assert.equal(functionsAt(elf, cut, [malloc.address + 1])[0]?.symbol, undefined);
});
