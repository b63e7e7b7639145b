/** The page over what real pods did, in a real browser: found, seen both ways, gone through by keyboard, and readable by machines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seriousComplaints } from './axe-fixture.ts';
import { codecPage, open, statusOf, zoomedOf } from './page-fixture.ts';

test('the slow codec is found, shown both ways and reached by keyboard alone; axe-core has no serious complaint', async () => {
  const { page, complaints } = await open(codecPage());

  await page.keyboard.press('/');
  await page.keyboard.type('SlowCodec\\.(en|de)code');
  assert.match(
    (await page.textContent('#found')) ?? '',
    /^\d+ frames · 0\.000 ms → 0\.\d+ ms · \+0\.\d+ ms$/,
  );
  await page.keyboard.press('Enter');
  assert.match(
    await statusOf(page),
    /^shop\.SlowCodec\.\w+ \(SlowCodec\.kt:\d+\): baseline 0\.000 ms, canary 0\.\d+ ms, \+/,
  );

  await page.keyboard.press('u');
  assert.match((await page.textContent('#found')) ?? '', /points$/);
  assert.equal(await page.getAttribute('[data-unit=share]', 'aria-pressed'), 'true');

  const name = /^([^:( ]+)/.exec(await statusOf(page).then(async () => (await zoomedOf(page)) ?? ''))?.[1];
  assert.notEqual(name, 'all');
  await page.keyboard.press('ArrowUp');
  const caller = await statusOf(page);
  await page.keyboard.press('ArrowDown');
  assert.notEqual(await statusOf(page), caller);
  await page.keyboard.press('Enter');
  await page.keyboard.press('s');
  assert.equal(await page.isVisible('#callers'), true);
  assert.equal(await page.isVisible('#whole'), false);
  await page.keyboard.press('Escape');
  assert.equal(await page.isVisible('#whole'), true);
  await page.keyboard.press('Escape');
  assert.equal(await zoomedOf(page), 'all');
  await page.keyboard.press('c');
  assert.equal(await page.getAttribute('#only', 'aria-pressed'), 'true');

  assert.deepEqual(await seriousComplaints(page), []);
  assert.deepEqual(complaints, []);
  await page.close();
});
