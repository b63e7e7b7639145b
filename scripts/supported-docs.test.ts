/** docs/supported.md: what it says was run is what the repository runs. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const DOCS = new URL('../docs/', import.meta.url);
const page = readFileSync(new URL('supported.md', DOCS), 'utf8');

test('each version that was run is the one that its file pins', () => {
  const ROW = /^\| (.+?) \| ([\d.]+) \| .* \| \[.*\]\((.+)\) \|$/gm;
  const rows = [...page.matchAll(ROW)];

  assert.ok(rows.length >= 9, `${rows.length} rows`);
  for (const [, what = '', version = '', file = ''] of rows) {
    const pinned = readFileSync(new URL(file, DOCS), 'utf8');
    const isPinned = new RegExp(`(?<![\\d.])v?${version.replaceAll('.', '\\.')}(?!\\d)`).test(pinned);
    assert.ok(isPinned, `${what} ${version} is not in ${file}`);
  }
});

test('the runs of every JDK that is said to be run are there', () => {
  const said = [...page.matchAll(/^\| JDK \| (\d+)/gm)].map(([, major]) => major);

  assert.deepEqual(said, ['17', '21', '25']);
  for (const major of said)
    for (const kind of ['jvm', 'stacks'])
      assert.ok(
        existsSync(new URL(`../test/fixtures/${kind}/jdk-${major}.txt`, DOCS)),
        `${kind} of ${major}`,
      );
});
