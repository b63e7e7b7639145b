/** The diff page in a real browser: what a reader sees and does, and what a hostile name cannot do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCollapsed } from '../src/profile/collapsed.ts';
import type { StackCount } from '../src/profile/stack-counts.ts';
import { clickFrame, open, statusOf, textOf } from './diff-page-fixture.ts';

const BASELINE = parseCollapsed('main;serve;encode;fast 600\nmain;serve;route 300\nmain;gc 100');
const CANARY = parseCollapsed('main;serve;encode;slow;regex 700\nmain;serve;route 200\nmain;gc 100');
const ordersPage = () =>
  open({ baseline: BASELINE, canary: CANARY, culprit: { name: 'slow', place: 'Slow.kt:87' } });
test('a click zooms into a frame and says its shares; Escape zooms out', async () => {
  const { page, complaints } = await ordersPage();

  await clickFrame(page, 3, 0.3);

  assert.equal(await page.getAttribute('#canvas', 'data-zoomed'), 'encode');
  assert.equal(await statusOf(page), 'encode: baseline 60.00 %, canary 70.00 %, +10.00 points');
  assert.equal(await page.isEnabled('#reset'), true);

  await page.keyboard.press('Escape');

  assert.equal(await page.getAttribute('#canvas', 'data-zoomed'), 'all');
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the keyboard alone reaches every frame', async () => {
  const { page } = await ordersPage();
  await page.focus('#canvas');

  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowRight']) {
    await page.keyboard.press(key);
  }
  assert.equal(await statusOf(page), 'route: baseline 30.00 %, canary 20.00 %, −10.00 points');

  await page.keyboard.press('ArrowUp');
  assert.match((await statusOf(page)) ?? '', /^serve:/);
  await page.keyboard.press('Enter');
  assert.equal(await page.getAttribute('#canvas', 'data-zoomed'), 'serve');
  await page.close();
});

test('hovering shows both shares, the change and whether it is beyond noise', async () => {
  const { page } = await ordersPage();
  const box = await page.locator('#canvas').boundingBox();
  assert.ok(box);

  await page.mouse.move(box.x + box.width * 0.1, box.y + 4 * 20 + 10);
  const grown = await textOf(page, '#tooltip');
  await page.mouse.move(box.x + box.width * 0.95, box.y + 2 * 20 + 10);
  const same = await textOf(page, '#tooltip');

  assert.match(
    grown,
    /^slow\s+Baseline\s+0\.00 %\s+0 samples\s+Canary\s+70\.00 %\s+700 samples\s+Change\s+\+70\.00 points/,
  );
  assert.match(grown, /New: the baseline never ran this path\./);
  assert.match(same, /^gc[\s\S]*Within sampling noise\./);
  await page.close();
});

test('a frame says the lines it stood in, and how they divide it', async () => {
  const stack = (line: number, count: number): StackCount => ({
    frames: ['encode', 'main'],
    places: [`Codec.kt:${line}`, ''],
    count,
  });
  const { page } = await open({
    baseline: [stack(87, 40), stack(91, 10)],
    canary: [stack(87, 10), stack(91, 90)],
  });
  const box = await page.locator('#canvas').boundingBox();
  assert.ok(box);

  await page.mouse.move(box.x + box.width * 0.5, box.y + 2 * 20 + 10);

  const details = await textOf(page, '#tooltip');
  assert.match(details, /^encode\s+Baseline\s+100\.00 %\s+50 samples\s+Canary\s+100\.00 %\s+100 samples/);
  assert.match(details, /Codec\.kt:91\s+20 % → 90 % of the frame\s+Codec\.kt:87\s+80 % → 10 % of the frame/);
  await page.mouse.click(box.x + box.width * 0.5, box.y + 2 * 20 + 10);
  assert.match((await statusOf(page)) ?? '', /^encode \(Codec\.kt:91\): baseline/);
  await page.close();
});

test('a search says how much of both profiles matches', async () => {
  const { page } = await ordersPage();

  await page.keyboard.press('/');
  await page.keyboard.type('ENC');

  assert.equal(await page.textContent('#found'), '1 frame · 60.00 % → 70.00 % · +10.00 points');
  await page.fill('#search', 'nowhere');
  assert.equal(await page.textContent('#found'), 'nothing found');
  await page.close();
});

test('the culprit is named, and its button leads to it', async () => {
  const { page } = await ordersPage();

  assert.match(
    await textOf(page, '.culprit'),
    /slow\s+Slow\.kt:87\s+0\.00 % → 70\.00 % of CPU\s+\+70\.00\s+points/,
  );
  await page.click('#show-culprit');

  assert.equal(await page.getAttribute('#canvas', 'data-zoomed'), 'serve');
  assert.match((await statusOf(page)) ?? '', /^slow:/);
  await page.close();
});

test('what is gone from the canary shows when the width is the baseline', async () => {
  const { page } = await ordersPage();

  await page.click('#by-baseline');
  await clickFrame(page, 4, 0.3);

  assert.equal(await page.getAttribute('#canvas', 'data-zoomed'), 'fast');
  assert.equal(await page.getAttribute('#by-baseline', 'aria-pressed'), 'true');
  await page.close();
});

test('the table of changes works without the script', async () => {
  const { page } = await ordersPage();

  await page.click('summary');

  const first = await textOf(page, '.changes tbody tr:first-child');
  assert.match(first, /^regex\s+0\.00 %\s+70\.00 %\s+\+70\.00\s+\+70\.00/);
  await page.close();
});

const HOSTILE = [
  '</script><script>alert(1)</script>',
  '<img src=x onerror=alert(2)>',
  '"><svg/onload=alert(3)>',
  "';alert(4);//",
  '<!--<script>',
  'line\u2028separator\u2029end',
  '__proto__',
  'constructor',
  '\u202Eright to left',
];

test('hostile names are shown as they are and never run', async () => {
  const stacks: StackCount[] = HOSTILE.map((name) => ({ frames: [name, 'main'], count: 10 }));
  const { page, complaints } = await open({
    title: HOSTILE[0] ?? '',
    subtitle: HOSTILE[1] ?? '',
    baseline: stacks.slice(0, 4),
    canary: stacks,
    culprit: { name: HOSTILE[2] ?? '', place: HOSTILE[1] ?? '' },
  });

  await page.click('#show-culprit');
  await page.click('summary');
  await page.focus('#canvas');
  const seen = new Set<string>();
  for (let i = 0; i < 2 * HOSTILE.length; i += 1) {
    seen.add(((await statusOf(page)) ?? '').split(': baseline')[0] ?? '');
    await page.keyboard.press(i < HOSTILE.length ? 'ArrowLeft' : 'ArrowRight');
  }

  assert.deepEqual([...seen].sort(), [...HOSTILE].sort());
  assert.equal(await page.textContent('h1'), HOSTILE[0]);
  assert.equal(await page.locator('img, svg').count(), 0);
  assert.equal(await page.locator('script').count(), 2);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the page forbids every script but its own', async () => {
  const { page } = await ordersPage();

  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'document.title = "injected"';
    document.body.append(script);
    return document.title;
  });

  assert.equal(ran, 'orders');
  await page.close();
});

test('a tree of more than 20,000 frames opens and zooms without a stall', async () => {
  // 950 stacks of 24 frames of their own, each just above the smallest share that is shown.
  const stacks: StackCount[] = Array.from({ length: 950 }, (_, stack) => ({
    frames: [...Array.from({ length: 24 }, (_, depth) => `p${stack}.Class.method${depth}`), 'main'],
    count: 100,
  }));
  const { page } = await open({ baseline: stacks, canary: stacks });

  const medianMs = await page.evaluate(async () => {
    const canvas = document.getElementById('canvas');
    const box = canvas?.getBoundingClientRect();
    const times: number[] = [];
    for (let i = 0; i < 20; i += 1) {
      const at = { clientX: (box?.left ?? 0) + 20 + i * 40, clientY: (box?.top ?? 0) + 30, bubbles: true };
      const began = performance.now();
      canvas?.dispatchEvent(new PointerEvent('pointermove', at));
      canvas?.dispatchEvent(new PointerEvent('click', { ...at, clientY: at.clientY + (i % 2) * 20 }));
      await new Promise(requestAnimationFrame);
      times.push(performance.now() - began);
    }
    return times.sort((a, b) => a - b)[times.length / 2] ?? 0;
  });

  const nodes = await page.evaluate(
    () => JSON.parse(document.getElementById('data')?.textContent ?? '').raw.tree.name.length,
  );
  assert.ok(nodes > 20_000, `${nodes} nodes`);
  // Smooth is 16 ms; the bound leaves room for a machine that draws in software and is busy with other tests.
  assert.ok(medianMs < 150, `the median frame took ${medianMs} ms`);
  await page.close();
});
