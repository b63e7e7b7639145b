/** Whatever is found where the database should be, work begins; agents send again what it had. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { aBatch } from './testing/a-batch.ts';
import { aPath, aStore, everything } from './testing/a-store.ts';

function random(bytes: number): Buffer {
  let state = 7;
  return Buffer.from(
    Array.from({ length: bytes }, () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state >> 16;
    }),
  );
}

const BREAKS: readonly (readonly [string, (path: string) => void])[] = [
  ['random bytes', (path) => writeFileSync(path, random(40_000))],
  ['random bytes after a right head', (path) => writeFileSync(path, damaged(path))],
  ['nothing', (path) => truncateSync(path, 0)],
  ['a part of its first page', (path) => truncateSync(path, 100)],
  ['its first half', (path) => truncateSync(path, Math.floor(readFileSync(path).length / 2))],
  ['another layout', (path) => setLayout(path, 4)],
  ['what a machine wrote that stopped meanwhile', (path) => setWriter(path, 'a00a2f6c-of-another-start')],
  ['what was written before anybody said by whom', (path) => setWriter(path, undefined)],
  ['text', (path) => writeFileSync(path, 'this is no database\n')],
];

function damaged(path: string): Buffer {
  const bytes = readFileSync(path);
  random(bytes.length - 4096).copy(bytes, 4096);
  return bytes;
}

function setLayout(path: string, layout: number): void {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA user_version = ${layout}`);
  db.close();
}

function setWriter(path: string, boot: string | undefined): void {
  const db = new DatabaseSync(path);
  if (boot === undefined) db.exec("DELETE FROM meta WHERE key = 'writtenBy'");
  else db.prepare("UPDATE meta SET value = ? WHERE key = 'writtenBy'").run(boot);
  db.close();
}

for (const [what, broken] of BREAKS) {
  test(`a database of which there is ${what} is begun anew under another id`, (t) => {
    const path = aPath(t);
    const before = aStore(t, path);
    for (let sequence = 0; sequence < 20; sequence++) before.addBatch(aBatch({ sequence }));
    const id = before.storeId();
    before.close();
    broken(path);

    const store = aStore(t, path);

    assert.notEqual(store.storeId(), id);
    assert.equal(store.stats().corruptFiles, 1);
    assert.equal(store.addBatch(aBatch()).windowsStored, 1);
    assert.equal(everything(store).length, 1);
  });
}

test('a directory in the place of the database is moved aside, whatever was moved before', (t) => {
  const path = aPath(t);
  mkdirSync(`${path}.corrupt`);
  writeFileSync(`${path}.corrupt/earlier`, '');
  mkdirSync(path);
  writeFileSync(`${path}/file`, 'of somebody');

  const store = aStore(t, path);

  assert.equal(store.addBatch(aBatch()).windowsStored, 1);
  assert.equal(store.stats().corruptFiles, 1);
  assert.equal(readFileSync(`${path}.corrupt/file`, 'utf8'), 'of somebody');
});

test('what was closed is whole wherever it is opened, and what is open is so for this start of the machine', (t) => {
  const path = aPath(t);
  const writer = (): unknown => {
    const db = new DatabaseSync(path, { readOnly: true });
    const { value } = db.prepare("SELECT value FROM meta WHERE key = 'writtenBy'").get() ?? {};
    db.close();
    return value;
  };
  const store = aStore(t, path);
  const id = store.storeId();
  store.addBatch(aBatch());

  assert.equal(writer(), readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  store.close();

  assert.deepEqual(readdirSync(dirname(path)), [basename(path)], 'nothing is left in a log');
  assert.equal(writer(), 'nobody');
  const again = aStore(t, path);
  assert.equal(again.storeId(), id);
  assert.equal(everything(again).length, 1);
});
