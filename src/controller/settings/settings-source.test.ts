/** A settings file in a directory that is laid out, and changed, as the kubelet does it with a ConfigMap. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from '../../../test/cluster/cluster.ts';
import { openSettings } from './settings-source.ts';

/** `settings.yaml` → `..data/settings.yaml`, and `..data` → a directory that is swapped by a rename. */
function aMountedFile(t: TestContext, text: string) {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-settings-'));
  t.after(() => rmSync(directory, { recursive: true }));
  let version = 0;
  const swap = (next: string | undefined) => {
    const data = `..${++version}`;
    mkdirSync(join(directory, data));
    if (next !== undefined) writeFileSync(join(directory, data, 'settings.yaml'), next);
    symlinkSync(data, join(directory, '..data_tmp'));
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
  };
  swap(text);
  symlinkSync('..data/settings.yaml', join(directory, 'settings.yaml'));
  return { file: join(directory, 'settings.yaml'), swap };
}

async function watched(t: TestContext, text: string) {
  const { file, swap } = aMountedFile(t, text);
  const source = await openSettings(file, { everyMs: 5 });
  t.after(() => source.stop());
  const said: string[] = [];
  source.onChange(() => said.push('change'));
  source.watch({
    changed: (hash) => said.push(`changed ${hash === source.hash()}`),
    refused: ({ code, message }) => said.push(`${code} ${message}`),
    restored: () => said.push('restored'),
  });
  const hears = (what: RegExp) =>
    eventually(String(what), 10, () => said.find((each) => what.test(each)) ?? undefined);
  return { source, said, swap, hears };
}

test('a changed file is in force within moments, and whoever listens is told', async (t) => {
  const { source, said, swap, hears } = await watched(t, 'rates: {maxFrequencyHz: 97}\n');
  const before = source.hash();
  assert.equal(source.current().limits.maxFrequencyHz, 97);

  swap('rates: {maxFrequencyHz: 19}\n');
  await hears(/^changed/);

  assert.deepEqual(said, ['change', 'changed true']);
  assert.equal(source.current().limits.maxFrequencyHz, 19);
  assert.notEqual(source.hash(), before);
});

test('a wrong file is refused once with its line, and what was before stays in force until a right one comes', async (t) => {
  const { source, said, swap, hears } = await watched(t, 'rates: {maxFrequencyHz: 97}\n');
  const before = source.hash();

  swap('# oh\nrates: {maxFrequencyHz: 970}\n');
  await hears(/^SETTINGS_INVALID settings\.yaml:2: rates\.maxFrequencyHz: must be/);
  assert.deepEqual([source.current().limits.maxFrequencyHz, source.hash()], [97, before]);

  swap('rates: {maxFrequencyHz: 19}\n');
  await hears(/^changed/);
  assert.equal(source.current().limits.maxFrequencyHz, 19);
  assert.equal(said.filter((each) => each.startsWith('SETTINGS_INVALID')).length, 1);
});

test('a file that goes back to what is in force is told of, and changes nothing', async (t) => {
  const { said, swap, hears } = await watched(t, 'rates: {}\n');

  swap('nonsense\n');
  await hears(/^SETTINGS_INVALID/);
  swap('rates: {}\n');
  await hears(/^restored/);

  assert.equal(said.includes('change'), false);
});

test('a file that is gone is refused, and what was before stays in force', async (t) => {
  const { source, swap, hears } = await watched(t, 'rates: {maxFrequencyHz: 97}\n');

  swap(undefined);
  await hears(/^SETTINGS_UNREADABLE the settings file cannot be read: ENOENT/);

  assert.equal(source.current().limits.maxFrequencyHz, 97);
});

test('to begin with, a file that is wrong or missing is an error, and none at all is every default', async (t) => {
  const { file } = aMountedFile(t, 'rates: {maxFrequencyHz: 970}\n');

  await assert.rejects(openSettings(file), { code: 'SETTINGS_INVALID', message: /^settings\.yaml:1: rates/ });
  await assert.rejects(openSettings(`${file}.missing`), { code: 'SETTINGS_UNREADABLE' });
  assert.equal((await openSettings(undefined)).current().limits.maxFrequencyHz, 199);
});
