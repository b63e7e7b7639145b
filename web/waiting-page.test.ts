/** What threads waited for, on the diff page, in a real browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCollapsed } from '../src/profile/collapsed.ts';
import { clickFrame, open, statusOf } from './diff-page-fixture.ts';

const INPUT = {
  baseline: parseCollapsed('main;shop.Orders.price 80\nmain;shop.Codec.encode 20'),
  canary: parseCollapsed('main;shop.Orders.price 50\nmain;shop.Codec.encode 50'),
  waiting: {
    baseline: parseCollapsed(
      'main;shop.Stock.load;[wait: socket] 90\nmain;shop.Orders.take;[wait: sleep] 10',
    ),
    canary: parseCollapsed('main;shop.Stock.load;[wait: socket] 60\nmain;shop.Orders.take;[wait: sleep] 40'),
  },
};

test('a reader looks at CPU first, and at waiting by its button or an address', async () => {
  const { page, complaints } = await open(INPUT);
  await clickFrame(page, 2, 0.9);
  assert.match((await statusOf(page)) ?? '', /^shop\.Codec\.encode: baseline 20\.00 %, canary 50\.00 %/);

  await page.click('#by-waiting');

  assert.equal(await page.getAttribute('#by-waiting', 'aria-pressed'), 'true');
  assert.match((await statusOf(page)) ?? '', /share of the time that threads waited/);
  await clickFrame(page, 3, 0.9);
  assert.match((await statusOf(page)) ?? '', /^\[wait: sleep\]: baseline 10\.00 %, canary 40\.00 %/);
  const shared = await open(INPUT, new URL(page.url()).hash);
  assert.equal(await shared.page.getAttribute('#by-waiting', 'aria-pressed'), 'true');
  await page.click('#by-cpu');
  await clickFrame(page, 2, 0.9);
  assert.match((await statusOf(page)) ?? '', /^shop\.Codec\.encode: /);
  assert.deepEqual([...complaints, ...shared.complaints], []);
  await Promise.all([page.close(), shared.page.close()]);
});

test('without waiting there is nothing to choose', async () => {
  const { page } = await open({ baseline: INPUT.baseline, canary: INPUT.canary });

  assert.equal(await page.locator('#by-waiting').count(), 0);
  await page.close();
});

test('slow reads, writes and syncs have a view of their own, with waiting or without', async () => {
  const { page, complaints } = await open({
    ...{ baseline: INPUT.baseline, canary: INPUT.canary },
    io: {
      baseline: parseCollapsed(
        'main;shop.Ledger.record;[file sync] 10\nmain;shop.Logs.write;[file write] 90',
      ),
      canary: parseCollapsed('main;shop.Ledger.record;[file sync] 60\nmain;shop.Logs.write;[file write] 40'),
    },
  });

  assert.equal(await page.locator('#by-waiting').count(), 0);
  await page.click('#by-io');

  assert.equal(await page.getAttribute('#by-io', 'aria-pressed'), 'true');
  assert.match((await statusOf(page)) ?? '', /share of the time of slow reads and writes, and of syncs/);
  await clickFrame(page, 3, 0.9);
  assert.match((await statusOf(page)) ?? '', /^\[file sync\]: baseline 10\.00 %, canary 60\.00 %/);
  await page.click('#by-cpu');
  await clickFrame(page, 2, 0.9);
  assert.match((await statusOf(page)) ?? '', /^shop\.Codec\.encode: /);
  assert.deepEqual(complaints, []);
  await page.close();
});
