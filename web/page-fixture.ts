/** For tests: pages in a real browser, of a few stacks or of what a gate over real pods saw. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { type DiffPageInput, renderDiffPage } from '../src/profile/diff-page.ts';
import type { Profiles } from '../src/profile/page-data.ts';
import type { StackCount } from '../src/profile/stack-counts.ts';
import { launchChromium } from './browser-fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'flamegate-page-'));
let browser: Browser | undefined;

before(async () => {
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  rmSync(directory, { recursive: true, force: true });
});

export interface OpenedPage {
  readonly page: Page;
  readonly bytes: number;
  /** Errors and refused resources, and requests for anything but the file. */
  readonly complaints: readonly string[];
}

export async function open(input: DiffPageInput, fragment = ''): Promise<OpenedPage> {
  const opened = await openFile(renderDiffPage(input), fragment);
  if (input.views.length > 0) await opened.page.waitForSelector('#canvas[data-ready]', { state: 'attached' });
  return opened;
}

export async function openFile(html: string, fragment = ''): Promise<OpenedPage> {
  if (browser === undefined) throw new Error('no browser was started');
  const file = join(directory, `${Math.random().toString(36).slice(2)}.html`);
  writeFileSync(file, html);
  const page = await browser.newPage({ viewport: { width: 1400, height: 800 }, reducedMotion: 'reduce' });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url().replace(/#.*/, '') !== pathToFileURL(file).href) complaints.push(request.url());
  });
  await page.goto(`${pathToFileURL(file).href}${fragment}`);
  return { page, complaints, bytes: Buffer.byteLength(html) };
}

export const pageOf = (profiles: Profiles, more: Partial<DiffPageInput> = {}): DiffPageInput => ({
  ...{ title: 'orders', subtitle: '' },
  views: [{ id: 'cpu', label: 'CPU', group: 'The service', what: 'CPU', ...profiles }],
  ...more,
});

interface Kept extends Omit<DiffPageInput, 'views'> {
  readonly costs: DiffPageInput['views'][number]['costs'];
  readonly names: readonly string[];
  readonly places: readonly string[];
  /** Of the merged tree in preorder; counts are each node's own. */
  readonly nodes: Readonly<Record<'name' | 'depth' | 'place' | 'baseline' | 'canary', readonly number[]>>;
}

/** Twelve baseline pods and three canaries with the slow codec of the sample, thirteen minutes of real pods on JDK 25. */
export function codecPage(): DiffPageInput {
  const file = fileURLToPath(new URL('../test/fixtures/pages/codec.json.gz', import.meta.url));
  const { costs, names, places, nodes, ...input }: Kept = JSON.parse(
    gunzipSync(readFileSync(file)).toString(),
  );
  const arm = (side: 'baseline' | 'canary'): StackCount[] => {
    const stacks: StackCount[] = [];
    const path: number[] = [];
    for (const [node, depth] of nodes.depth.entries()) {
      path.length = depth;
      path[depth] = node;
      const count = nodes[side][node] ?? 0;
      if (count === 0) continue;
      const leafFirst = path.slice(1).reverse(); // without the root of all
      stacks.push({
        frames: leafFirst.map((at) => names[nodes.name[at] ?? 0] ?? ''),
        places: leafFirst.map((at) => places[nodes.place[at] ?? -1] ?? ''),
        count,
      });
    }
    return stacks;
  };
  const views = [
    {
      ...{ id: 'cpu', label: 'CPU', group: 'The whole service', what: 'CPU' },
      costs,
      baseline: arm('baseline'),
      canary: arm('canary'),
    },
  ];
  return { ...input, views };
}

/** The text as a reader sees it, with the breaks of its layout. */
// biome-ignore lint/performance/useDomNodeTextContent: textContent would run the cells of a table together
export const textOf = (page: Page, selector: string) => page.innerText(selector);
export const statusOf = async (page: Page): Promise<string> => (await page.textContent('#status')) ?? '';
export const zoomedOf = (page: Page) => page.getAttribute('#canvas', 'data-zoomed');

const ROW = 22;
/** Row and position of the graph, in rows and in fractions of its width. */
export async function pointAt(page: Page, row: number, at: number): Promise<{ x: number; y: number }> {
  const box = await page.locator('#canvas').boundingBox();
  if (box === null) throw new Error('the picture is not to be seen');
  return { x: box.x + at * box.width, y: box.y + row * ROW + ROW / 2 };
}

export async function clickFrame(page: Page, row: number, at: number): Promise<void> {
  const { x, y } = await pointAt(page, row, at);
  await page.mouse.click(x, y);
}
