import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { FileRegion } from '../symbols/proc-maps.ts';
import { createNativeNames, type MetNatives } from './native-names.ts';

/** Of this process: where its C library's code is mapped, and from where in which file. */
const [, START = '', OFFSET = '', LIBC = ''] =
  /^(\w+)-\w+ r-xp (\w+) \S+ \d+ +(\S+\/libc\.so\.6)$/m.exec(readFileSync('/proc/self/maps', 'utf8')) ?? [];
const MAPPED = { path: LIBC, address: Number.parseInt(START, 16), fileOffset: Number.parseInt(OFFSET, 16) };

function addressOf(name: string): number {
  const table = execFileSync('nm', ['-D', '--defined-only', LIBC], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const [, offset = ''] = new RegExp(`^(\\w{16}) T ${name}(?:@|$)`, 'm').exec(table) ?? [];
  return MAPPED.address - MAPPED.fileOffset + Number.parseInt(offset, 16);
}

test('a build is named in all containers at once, however many they are', async () => {
  const names = createNativeNames();
  const address = addressOf('malloc');
  const pods = Array.from({ length: 40 }, (): MetNatives => {
    const region: FileRegion = { kind: 'file', name: '[libc.so.6]', mapped: MAPPED };
    return { root: '/proc/self/root', region, addresses: new Set([address]) };
  });

  await names.learn(pods, 0);

  assert.deepEqual(new Set(pods.map(({ region }) => names.nameAt(region, address))), new Set(['malloc']));
});
