/** The page in a real browser: what a reader sees and does, and what a hostile profile cannot do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { aGate, aReport } from '../../src/controller/regression-gate/testing/a-cluster.ts';
import { renderAllGatesPage, renderGatesPage } from '../../src/controller/report-page/gates-page.ts';
import { outsideLinks } from '../../src/controller/report-page/outside-links.ts';
import { parseCollapsed } from '../../src/profile/collapsed.ts';
import type { StackCount } from '../../src/profile/stack-counts.ts';
import { seriousComplaints } from '../../web/axe-fixture.ts';
import {
  clickFrame,
  codecPage,
  open,
  openFile,
  pageOf,
  pointAt,
  statusOf,
  textOf,
  zoomedOf,
} from '../../web/page-fixture.ts';

const BASELINE = parseCollapsed('main;serve;encode;fast 600\nmain;serve;route 300\nmain;gc 100');
const CANARY = parseCollapsed('main;serve;encode;slow;regex 700\nmain;serve;route 200\nmain;gc 100');
const CULPRIT = { name: 'slow', place: 'Slow.kt:87', kind: 'New', text: '0 → 70% of CPU' };
const orders = () => open(pageOf({ baseline: BASELINE, canary: CANARY }, { culprits: [CULPRIT] }));

test('a click zooms into a frame and says its shares; Escape zooms out', async () => {
  const { page, complaints } = await orders();

  await clickFrame(page, 3, 0.1);

  assert.equal(await zoomedOf(page), 'encode');
  assert.equal(await statusOf(page), 'encode: baseline 60.00 %, canary 70.00 %, +10.00 points');
  assert.equal(await page.isEnabled('#reset'), true);
  await page.keyboard.press('Escape');
  assert.equal(await zoomedOf(page), 'all');
  assert.deepEqual(complaints, []);
  await page.close();
});

test('what is new and what is gone stand side by side, in words', async () => {
  const { page } = await orders();

  for (const [at, text] of [
    [
      0.1,
      /^slow\s+Baseline\s+0\.00 %\s+0 samples\s+Canary\s+70\.00 %\s+700 samples\s+Change\s+\+70\.00 points[\s\S]*New: the baseline never ran this path\./,
    ],
    [0.6, /^fast\s+Baseline\s+60\.00 %[\s\S]*Gone: the canary never ran this path\./],
  ] as const) {
    const { x, y } = await pointAt(page, 4, at);
    await page.mouse.move(x, y);
    assert.match(await textOf(page, '#tooltip'), text);
  }
  await page.click('[data-width=canary]');
  const { x, y } = await pointAt(page, 4, 0.6);
  await page.mouse.move(x, y);
  assert.match(await textOf(page, '#tooltip'), /^slow/);
  await page.close();
});

test('a frame says the lines it stood in, and how they divide it', async () => {
  const stack = (line: number, count: number): StackCount => ({
    ...{ frames: ['encode', 'main'], places: [`Codec.kt:${line}`, ''], count },
  });
  const { page } = await open(
    pageOf({ baseline: [stack(87, 40), stack(91, 10)], canary: [stack(87, 10), stack(91, 90)] }),
  );

  const { x, y } = await pointAt(page, 2, 0.5);
  await page.mouse.move(x, y);
  assert.match(
    await textOf(page, '#tooltip'),
    /Codec\.kt:91\s+20 % → 90 % of the frame\s+Codec\.kt:87\s+80 % → 10 % of the frame/,
  );
  await page.mouse.click(x, y);
  assert.match(await statusOf(page), /^encode \(Codec\.kt:91\): baseline/);
  await page.close();
});

test('the culprit leads to its frame, and the table of functions to any', async () => {
  const { page, complaints } = await orders();

  await page.click('[data-culprit="0"]');
  assert.match(await statusOf(page), /^slow: baseline 0\.00 %, canary 70\.00 %/);
  assert.match(
    await textOf(page, '#functions tbody tr:first-child'),
    /^regex\s+0\.00\s+70\.00\s+\+70\.00\s+\+70\.00/,
  );
  await page.click('#functions tbody button:text-is("fast")');
  assert.match(await statusOf(page), /^fast: /);
  await page.click('[data-sort=name]');
  assert.match(await textOf(page, '#functions tbody tr:first-child'), /^encode/);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the keyboard alone reaches every frame, and searches', async () => {
  const { page } = await orders();
  await page.focus('#canvas');

  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowRight'])
    await page.keyboard.press(key);
  assert.equal(await statusOf(page), 'route: baseline 30.00 %, canary 20.00 %, −10.00 points');
  await page.keyboard.press('ArrowUp');
  assert.match(await statusOf(page), /^serve:/);
  await page.keyboard.press('Enter');
  assert.equal(await zoomedOf(page), 'serve');
  await page.keyboard.press('/');
  await page.keyboard.type('ENC|reg');
  assert.equal(await page.textContent('#found'), '2 frames · 60.00 % → 70.00 % · +10.00 points');
  await page.keyboard.press('Enter');
  assert.match(await statusOf(page), /^encode/);
  await page.keyboard.press('n');
  assert.match(await statusOf(page), /^regex/);
  await page.keyboard.press('n');
  assert.equal(await statusOf(page), 'That was the last match.');
  await page.fill('#search', '(a+)+');
  assert.match((await page.textContent('#found')) ?? '', /group cannot be repeated/);
  assert.equal(await page.getAttribute('#search', 'aria-invalid'), 'true');
  await page.fill('#search', 'nowhere');
  assert.equal(await page.textContent('#found'), 'nothing found');
  await page.close();
});

test('only what changed: the rest has no width, and where nothing did it says so', async () => {
  const { page } = await orders();
  await page.keyboard.press('c');
  await clickFrame(page, 2, 0.5);
  assert.match(await statusOf(page), /^serve/);
  assert.equal(await page.locator('#functions tbody tr', { hasText: 'gc' }).count(), 0);
  await page.close();

  const same = await open(pageOf({ baseline: BASELINE, canary: BASELINE }));
  await same.page.keyboard.press('c');
  assert.equal(await textOf(same.page, '.empty'), 'Nothing changed by more than noise.');
  await same.page.close();
});

test('an address leads to what its sender saw', async () => {
  const { page } = await open(codecPage());
  await page.keyboard.press('u');
  await page.keyboard.press('c');
  await page.fill('#search', 'SlowCodec');
  await page.keyboard.press('Enter');
  await page.keyboard.press('s');
  const { hash } = new URL(page.url());
  const title = await textOf(page, '#callees h3');
  await page.close();

  const shared = await open(codecPage(), hash);
  assert.equal(await textOf(shared.page, '#callees h3'), title);
  assert.equal(await shared.page.getAttribute('#only', 'aria-pressed'), 'true');
  assert.equal(await shared.page.getAttribute('[data-unit=share]', 'aria-pressed'), 'true');
  await shared.page.evaluate('location.hash = "#view=none&unit=pounds&width=__proto__"');
  await shared.page.waitForSelector('#only[aria-pressed=false]');
  assert.deepEqual(shared.complaints, []);
  await shared.page.close();
});

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
const coroutines = (find: number, parked: number) =>
  parseCollapsed(`${ON_DEFAULT};[launch];suspend shop.Main.handle_[a];shop.Orders$find$1.invokeSuspend;shop.Orders.find ${find}
${WORKER.join(';')};java.util.concurrent.locks.LockSupport.park ${parked}`);
const isFolded = (page: Page) => page.getAttribute('#fold', 'aria-pressed');

test('machinery is folded at first; the culprit is found under the name each tree has for it', async () => {
  const { page, complaints } = await open(
    pageOf(
      { baseline: coroutines(50, 50), canary: coroutines(70, 30) },
      { culprits: [{ name: 'shop.Orders.find', place: 'Orders.kt:31', kind: 'Grown', text: '' }] },
    ),
  );

  assert.equal(await isFolded(page), 'true');
  await clickFrame(page, 1, 0.3);
  assert.match(await statusOf(page), /^\[coroutines: Default\] \(machinery/);
  await page.click('[data-culprit="0"]');
  assert.match(await statusOf(page), /^suspend shop\.Orders\.find: /);
  await page.keyboard.press('m');
  assert.equal(await isFolded(page), 'false');
  assert.equal(await statusOf(page), 'Stacks are as they were sampled.');
  await page.click('[data-culprit="0"]');
  assert.match(await statusOf(page), /^shop\.Orders\.find: /);
  await clickFrame(page, 0, 0.5);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('other views have figures of their own', async () => {
  const view = (id: string, label: string, text: string) => ({
    ...{ id, label, group: 'The service', what: `the time of ${label}` },
    ...{ baseline: parseCollapsed(text), canary: parseCollapsed(text) },
  });
  const { page } = await open({
    ...{ title: 'orders', subtitle: '' },
    views: [view('cpu', 'CPU', 'main;price 80'), view('waiting', 'Waiting', 'main;load;[wait: socket] 90')],
  });

  await page.selectOption('#view', 'waiting');

  assert.equal(await statusOf(page), 'Width is the time of Waiting.');
  await clickFrame(page, 3, 0.5);
  assert.match(await statusOf(page), /^\[wait: socket\] \(what was waited for\): baseline 100\.00 %/);
  assert.equal(new URL(page.url()).hash, '#view=waiting');
  await page.close();
});

/** In both colour schemes, as narrow as a telephone and as wide as a screen. */
async function complaintsEverywhere(page: Page): Promise<readonly string[]> {
  const said: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [400, 1400]) {
      await page.setViewportSize({ width, height: 800 });
      for (const one of await seriousComplaints(page)) said.push(`${colorScheme}, ${width}: ${one}`);
    }
  }
  return said;
}

const HOSTILE_GATE = '<b>shop</b>'.repeat(12);
const DECIDED = { startedAt: '2026-11-26T10:00:00Z', decidedAt: '2026-11-26T10:10:00Z' };

test('axe-core has no serious complaint of links to profiles and traces, nor of what lies open on the page', async () => {
  const slowest = { traceId: '0af7651916cd43dd8448eb211c80319c', latencyNs: 1.2e9 };
  const traced = [{ method: 'GET', route: '/orders/{id}', slowest }];
  const links = [
    { href: '/gates/v1/shop', text: 'Gates of shop' },
    ...outsideLinks({
      templates: {
        profiles: 'https://pyroscope.example/?query={query}&from={from}&until={until}',
        traces: 'https://tempo.example/trace/{traceId}',
      },
      nowMs: Date.parse('2026-11-26T10:30:00Z'),
      traced: { baseline: traced, canary: traced },
      report: aReport({ status: DECIDED }),
    }),
  ];
  const tables = [{ title: 'Pods', header: ['Pod', 'Samples'], rows: [['orders-1', '12']], notes: ['One.'] }];
  const { page, complaints } = await open({ ...codecPage(), links, tables });

  assert.equal(await page.locator('nav[aria-label=Elsewhere] a').count(), links.length - 1);
  await page.click('.rests summary');
  assert.deepEqual(await complaintsEverywhere(page), []);
  await page.fill('#search', 'SlowCodec');
  await page.press('#search', 'Enter');
  await page.keyboard.press('s');
  assert.deepEqual(await complaintsEverywhere(page), []);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('axe-core has no serious complaint of the gates of one namespace and of all', async () => {
  const status = { ...DECIDED, message: 'P99 grew by 30 ms' };
  const ofShop = {
    namespace: 'shop',
    gates: [aGate(), { ...aGate(), metadata: { ...aGate().metadata, name: HOSTILE_GATE } }],
    reports: (['Failed', 'Passed', 'Inconclusive'] as const).flatMap((verdict, at) =>
      [1, 2, 3].map((attempt) => aReport({ attempt: 3 * at + attempt, status: { ...status, verdict } })),
    ),
  };
  const pages = [
    renderGatesPage(ofShop),
    renderAllGatesPage({ namespaces: [ofShop, { ...ofShop, namespace: 'other' }], isCut: true }),
    renderAllGatesPage({ namespaces: [], isCut: false }),
  ];

  for (const html of pages) {
    const { page, complaints } = await openFile(html);
    assert.deepEqual(await complaintsEverywhere(page), []);
    assert.deepEqual(complaints, []);
    await page.close();
  }
});

test('without its script the page has a table of what changed most', async () => {
  const { page } = await orders();
  const html = await page.content();

  assert.match(html, /<noscript>.*The picture needs JavaScript/s);
  await page.close();
});
