import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { releaseCodePages } from './code-pages.ts';
import { samplerOptions } from './sampler-fixture.ts';

const residentFileKb = (): number =>
  Number(/RssFile:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);

test('code that only the start needed is resident no more, and everything still runs', () => {
  const { addonPath } = samplerOptions();
  const text = 'a'.repeat(10_000);
  const zipped = gzipSync(text);
  const before = residentFileKb();

  const mapped = releaseCodePages(addonPath);

  assert.ok(residentFileKb() < before, `${residentFileKb()} kB of ${before} are resident`);
  assert.ok(mapped > 1024 * 1024, `${mapped} bytes of code are mapped`);
  assert.deepEqual(gzipSync(text), zipped);
});
