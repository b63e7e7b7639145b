/** Folded stacks on the diff page, in a real browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { parseCollapsed } from '../src/profile/collapsed.ts';
import { clickFrame, open, statusOf, textOf } from './diff-page-fixture.ts';

/** A coroutine on Default and one on IO, root first, as the agent names them. */
const WORKER = [
  'JavaCalls::call_helper [libjvm.so]',
  '[call_stub]',
  ...['Worker.run', 'Worker.runWorker', 'Worker.executeTask'].map(
    (method) => `kotlinx.coroutines.scheduling.CoroutineScheduler$${method}`,
  ),
];
const RESUMED = [
  'kotlinx.coroutines.DispatchedTask.run',
  'kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith',
];
const ON_DEFAULT = [...WORKER, ...RESUMED].join(';');
const ON_IO = [...WORKER, 'kotlinx.coroutines.internal.LimitedDispatcher$Worker.run', ...RESUMED].join(';');
const coroutines = (find: number, load: number, parked: number) =>
  parseCollapsed(`${ON_DEFAULT};[launch];suspend shop.Main.handle_[a];shop.Orders$find$1.invokeSuspend;shop.Orders.find ${find}
${ON_IO};shop.Documents$load$2.invokeSuspend;shop.Codec.next_[s] ${load}
${WORKER.join(';')};java.util.concurrent.locks.LockSupport.park ${parked}`);
const COROUTINES = {
  baseline: coroutines(50, 30, 20),
  canary: coroutines(70, 20, 10),
  culprit: { name: 'shop.Orders.find', place: 'Orders.kt:31' },
};
const isFolded = (page: Page) => page.getAttribute('#fold', 'aria-pressed');

test('machinery is folded at first: coroutines stand on their dispatchers', async () => {
  const { page, complaints } = await open(COROUTINES);

  assert.equal(await isFolded(page), 'true');
  await clickFrame(page, 1, 0.3);
  assert.match((await statusOf(page)) ?? '', /^\[coroutines: Default\]: baseline 50\.00 %, canary 70\.00 %/);
  await page.keyboard.press('Escape');
  await clickFrame(page, 1, 0.8);
  assert.match((await statusOf(page)) ?? '', /^\[coroutines: IO\]: baseline 30\.00 %, canary 20\.00 %/);
  await page.keyboard.press('Escape');
  await clickFrame(page, 1, 0.95);
  assert.match((await statusOf(page)) ?? '', /^\[coroutine scheduler\]: baseline 20\.00 %/);
  await page.keyboard.press('Escape');
  await clickFrame(page, 4, 0.3);
  assert.match((await statusOf(page)) ?? '', /^suspend shop\.Orders\.find: /);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the button and the key m show the stacks as they were sampled, and fold them again; totals stay', async () => {
  const { page, complaints } = await open(COROUTINES);
  const all = async () => {
    await clickFrame(page, 0, 0.5);
    return statusOf(page);
  };
  const before = await all();

  await page.click('#fold');

  assert.deepEqual([await isFolded(page), new URL(page.url()).hash], ['false', '#raw']);
  assert.equal(await statusOf(page), 'Stacks are as they were sampled.');
  await clickFrame(page, 1, 0.3);
  assert.match((await statusOf(page)) ?? '', /^JavaCalls::call_helper \[libjvm\.so\]: baseline 100\.00 %/);
  await page.keyboard.press('Escape');
  assert.equal(await all(), before);
  await page.focus('#canvas');
  await page.keyboard.press('m');
  assert.deepEqual([await isFolded(page), new URL(page.url()).hash], ['true', '#folded']);
  await clickFrame(page, 1, 0.3);
  assert.match((await statusOf(page)) ?? '', /^\[coroutines: Default\]/);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('an address leads to the stacks its sender saw, and back', async () => {
  const { page, complaints } = await open(COROUTINES, '#raw');
  assert.equal(await isFolded(page), 'false');

  await page.evaluate(() => {
    location.hash = '#folded';
  });
  await page.waitForSelector('#fold[aria-pressed=true]');
  await page.evaluate(() => {
    location.hash = '#anything else';
  });
  assert.equal(await isFolded(page), 'true');
  assert.deepEqual(complaints, []);
  await page.close();
});

test('a search finds in either tree what the tree has, and stays when the tree changes', async () => {
  const { page } = await open(COROUTINES);
  const found = () => page.textContent('#found');

  await page.fill('#search', 'suspend shop.orders.find');
  assert.equal(await found(), '1 frame · 50.00 % → 70.00 % · +20.00 points');
  await page.click('#fold');
  assert.equal(await found(), 'nothing found');
  await page.fill('#search', 'executeTask');
  assert.equal(await found(), '1 frame · 100.00 % → 100.00 % · 0.00 points');
  await page.fill('#search', 'm'); // typed, not the key that folds
  assert.equal(await isFolded(page), 'false');
  await page.close();
});

test('the culprit is marked and found under the name that each tree has for it, with the figures of the verdict', async () => {
  const { page } = await open(COROUTINES);
  const banner = () => textOf(page, '.culprit');

  assert.match(await banner(), /^Culprit\s+suspend shop\.Orders\.find\s+Orders\.kt:31\s+50\.00 % → 70\.00 %/);
  await page.click('#show-culprit');
  assert.match((await statusOf(page)) ?? '', /^suspend shop\.Orders\.find: /);
  await page.click('#fold');
  assert.match(await banner(), /^Culprit\s+shop\.Orders\.find\s+Orders\.kt:31\s+50\.00 % → 70\.00 %/);
  await page.click('#show-culprit');
  assert.match((await statusOf(page)) ?? '', /^shop\.Orders\.find: /);
  await page.close();
});

test('machinery that is the culprit is shown in the stacks that have it', async () => {
  const name = 'kotlinx.coroutines.DispatchedTask.run';
  const { page } = await open({ ...COROUTINES, culprit: { name, place: '' } });

  await page.click('#show-culprit');

  assert.equal(await isFolded(page), 'false');
  assert.match((await statusOf(page)) ?? '', /^kotlinx\.coroutines\.DispatchedTask\.run: /);
  await page.close();
});

test('the table of changes has the names of the tree above it, and leads into it', async () => {
  const { page } = await open(COROUTINES);
  await page.click('summary');
  const first = () => textOf(page, '.changes table:not([hidden]) tbody tr:first-child');

  assert.match(await first(), /^suspend shop\.Orders\.find\s+50\.00 %\s+70\.00 %/);
  await page.click('#fold');
  assert.match(await first(), /^shop\.Orders\.find\s+50\.00 %\s+70\.00 %/);
  assert.equal(await page.locator('.changes table:visible').count(), 1);
  await page.click('.changes table:not([hidden]) [data-function="shop.Orders$find$1.invokeSuspend"]');
  assert.match((await statusOf(page)) ?? '', /^shop\.Orders\$find\$1\.invokeSuspend: /);
  await page.close();
});

test('what is zoomed stays zoomed where both trees have it', async () => {
  const { page } = await open(COROUTINES);
  const zoomed = () => page.getAttribute('#canvas', 'data-zoomed');

  await clickFrame(page, 3, 0.3);
  assert.equal(await zoomed(), 'suspend shop.Main.handle_[a]');
  await page.keyboard.press('m');
  assert.equal(await zoomed(), 'suspend shop.Main.handle_[a]');
  assert.equal(await page.isEnabled('#reset'), true);
  await page.keyboard.press('Escape');
  await clickFrame(page, 1, 0.3);
  await page.keyboard.press('m');
  assert.equal(await zoomed(), 'all');
  await page.close();
});

test('stacks can be raw at first, and where nothing can be folded there is no button', async () => {
  const raw = await open({ ...COROUTINES, beginsRaw: true });
  assert.equal(await isFolded(raw.page), 'false');
  await raw.page.keyboard.press('m');
  assert.equal(await isFolded(raw.page), 'true');
  await raw.page.close();

  const stacks = parseCollapsed('main;serve;encode 600');
  const { page, complaints } = await open({ baseline: stacks, canary: stacks }, '#raw');
  await page.keyboard.press('m');
  assert.equal(await page.locator('#fold').count(), 0);
  assert.equal(await page.locator('.changes table').count(), 1);
  assert.equal(await page.isVisible('#changes-raw'), false); // in its closed details
  await page.click('summary');
  assert.equal(await page.isVisible('#changes-raw'), true);
  assert.deepEqual(complaints, []);
  await page.close();
});
