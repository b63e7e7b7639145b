/** Profiles that nobody should have sent: a right picture, never a script that runs, never a tab that hangs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StackCount } from '../../src/profile/stack-counts.ts';
import { clickFrame, open, pageOf, statusOf, textOf, zoomedOf } from '../../web/page-fixture.ts';

const HOSTILE: Readonly<Record<string, string>> = {
  '</script><script>alert(1)</script>': '</script><script>alert(1)</script>',
  '<img src=x onerror=alert(2)>': '<img src=x onerror=alert(2)>',
  '"><svg/onload=alert(3)>': '"><svg/onload=alert(3)>',
  "';alert(4);//": "';alert(4);//",
  '<!--<script>': '<!--<script>',
  'line\u2028separator\u2029end': 'line\\u{2028}separator\\u{2029}end',
  'proto.__proto__': 'proto.__proto__',
  constructor: 'constructor',
  '\u202Eright to left\u202C': '\\u{202e}right to left\\u{202c}',
  'zero\u200Bwidth\u0000nul': 'zero\\u{200b}width\\u{0}nul',
  'half \ud800 pair': 'half \\u{d800} pair',
  'заказы.Кодек.закодировать': 'заказы.Кодек.закодировать',
  'طلبات.ترميز': 'طلبات.ترميز',
  '注文🔥.エンコード': '注文🔥.エンコード',
};

test('hostile names are shown for what they are and never run', async () => {
  const names = Object.keys(HOSTILE);
  const stacks: StackCount[] = names.map((name) => ({ frames: [name, 'main'], count: 10 }));
  const [title = '', subtitle = '', name = ''] = names;
  const { page, complaints } = await open(
    pageOf(
      { baseline: stacks.slice(0, 4), canary: stacks },
      {
        ...{ title, subtitle, verdict: subtitle, facts: [[title, subtitle]] },
        culprits: [{ name, place: subtitle, kind: title, text: subtitle }],
        tables: [{ title, header: [title], rows: [[subtitle]], notes: [name] }],
        checks: [
          {
            label: title,
            verdict: subtitle,
            levels: title,
            text: subtitle,
            numbers: { change: 1, low: 0, high: 2, margin: 1 },
          },
        ],
      },
    ),
  );

  await page.click('[data-culprit="0"]');
  await page.focus('#canvas');
  const seen = new Set<string>();
  for (let i = 0; i < 2 * names.length; i += 1) {
    seen.add((await statusOf(page)).split(': baseline')[0] ?? '');
    await page.keyboard.press(i < names.length ? 'ArrowLeft' : 'ArrowRight');
  }

  assert.deepEqual([...seen].sort(), Object.values(HOSTILE).sort());
  assert.equal(await page.textContent('h1'), title);
  assert.equal(await page.locator('img').count(), 0);
  assert.equal(await page.locator('script').count(), 2);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the page forbids every script but its own, and every request', async () => {
  const { page } = await open(pageOf({ baseline: [], canary: [{ frames: ['main'], count: 1 }] }));

  const ran = await page.evaluate<readonly string[]>(`(async () => {
    const script = document.createElement('script');
    script.textContent = 'document.title = "injected"';
    document.body.append(script);
    const asked = await fetch('https://example.com/').then(() => 'answered', () => 'refused');
    return [document.title, asked];
  })()`);

  assert.deepEqual(ran, ['orders', 'refused']);
  await page.close();
});

test('a profile without a function, or without any sample, is said to be empty', async () => {
  const nothing = await open(pageOf({ baseline: [], canary: [] }));
  assert.equal(await textOf(nothing.page, '.empty'), 'There are no samples to draw.');
  assert.deepEqual(nothing.complaints, []);
  await nothing.page.close();

  const nameless = await open(
    pageOf({ baseline: [{ frames: [], count: 5 }], canary: [{ frames: [''], count: 5 }] }),
  );
  await clickFrame(nameless.page, 0, 0.5);
  assert.match(await statusOf(nameless.page), /^all: baseline 100\.00 %, canary 100\.00 %/);
  assert.deepEqual(nameless.complaints, []);
  await nameless.page.close();

  const gone = await open({ title: 'orders', subtitle: '', views: [], noViews: 'The samples are gone.' });
  assert.equal(await textOf(gone.page, 'main'), 'The samples are gone.');
  assert.deepEqual(gone.complaints, []);
  await gone.page.close();
});

test('weights of 2^63 are drawn as what they are to each other', async () => {
  const { page, complaints } = await open(
    pageOf({
      baseline: ['a', 'b'].map((name) => ({ frames: [name], count: 2 ** 63 })),
      canary: ['a', 'b', 'b', 'b'].map((name) => ({ frames: [name], count: 2 ** 63 })),
    }),
  );

  await clickFrame(page, 1, 0.1);
  assert.match(await statusOf(page), /^b: baseline 50\.00 %, canary 75\.00 %/);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('a stack ten thousand deep is gone through from end to end', async () => {
  const frames = Array.from({ length: 10_000 }, (_, i) => `pkg.Class.method${i}`);
  const stacks = [{ frames, count: 100 }];
  const { page, complaints } = await open(pageOf({ baseline: stacks, canary: stacks }));

  await page.fill('#search', 'method0$');
  await page.keyboard.press('Enter');

  assert.match(await statusOf(page), /^pkg\.Class\.method0: baseline 100\.00 %/);
  await page.keyboard.press('s');
  assert.equal(await page.isVisible('#callers'), true);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  assert.equal(await zoomedOf(page), 'all');
  assert.deepEqual(complaints, []);
  await page.close();
});
