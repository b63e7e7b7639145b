import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createKernelSymbolsParser, kernelAddress } from './kallsyms.ts';
import { createMemoryNameStore } from './name-store.ts';

const parse = (...chunks: (string | Uint8Array)[]) => {
  const parser = createKernelSymbolsParser(createMemoryNameStore(1 << 20));
  for (const chunk of chunks) parser.feed(Buffer.from(chunk));
  return parser.finish();
};

const KALLSYMS = `0000000000000000 A fixed_percpu_data
ffffffff81000000 T _text
ffffffff81000100 t __pfx_schedule
ffffffff81000110 T schedule
ffffffff81000400 D jiffies
ffffffffc0200000 t nft_do_chain\t[nf_tables]
ffffffff81000300 W tcp_sendmsg
`;

test('an address has the function that begins at or before it', () => {
  const kernel = parse(KALLSYMS);
  const nameAt = (low: number) => Buffer.from(kernel.nameAt(kernelAddress(0xffffffff, low)) ?? []).toString();

  assert.equal(nameAt(0x81000110), 'schedule');
  assert.equal(nameAt(0x810002ff), 'schedule');
  assert.equal(nameAt(0x81000300), 'tcp_sendmsg');
  assert.equal(nameAt(0x810000ff), '_text');
  assert.equal(nameAt(0xc0200010), 'nft_do_chain');
  assert.equal(kernel.symbols, 4);
  assert.equal(kernel.hidden, false);
});

test('an address below all functions, or far behind one, has no name', () => {
  const kernel = parse(KALLSYMS);

  assert.equal(kernel.nameAt(kernelAddress(0xffffffff, 0x80ffffff)), undefined);
  assert.equal(kernel.nameAt(kernelAddress(0xffffffff, 0x90000000)), undefined);
});

test('a kernel that hides its addresses is known as such', () => {
  const kernel = parse('0000000000000000 T _text\n0000000000000000 T schedule\n');

  assert.deepEqual([kernel.symbols, kernel.hidden], [0, true]);
});

test('any bytes are read without an error', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (chunks) => void parse(...chunks)));
});
