/** For tests: the diff page in a real browser. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type DiffPageInput, renderDiffPage } from '../src/profile/diff-page.ts';

const CHROMIUM = process.env['FLAMEGATE_CHROMIUM'] ?? '/usr/bin/chromium';
const directory = mkdtempSync(join(tmpdir(), 'flamegate-diff-page-'));
let browser: Browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
});

after(async () => {
  await browser.close();
  rmSync(directory, { recursive: true, force: true });
});

export interface OpenedPage {
  readonly page: Page;
  /** Errors and refused resources, and requests for anything but the file. */
  readonly complaints: readonly string[];
}

export async function open(input: Partial<DiffPageInput>, fragment = ''): Promise<OpenedPage> {
  const file = join(directory, `${Math.random().toString(36).slice(2)}.html`);
  const filled = { title: 'orders', subtitle: '', baseline: [], canary: [], ...input };
  writeFileSync(file, renderDiffPage(filled));
  const page = await browser.newPage({ viewport: { width: 1000, height: 700 }, reducedMotion: 'reduce' });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url().replace(/#.*/, '') !== pathToFileURL(file).href) {
      complaints.push(request.url());
    }
  });
  await page.goto(`${pathToFileURL(file).href}${fragment}`);
  await page.waitForSelector('#canvas[data-ready]');
  return { page, complaints };
}

/** The text as a reader sees it, with the breaks of its layout. */
// biome-ignore lint/performance/useDomNodeTextContent: textContent would run the cells of a table together
export const textOf = (page: Page, selector: string) => page.innerText(selector);
export const statusOf = (page: Page) => page.textContent('#status');
/** Row and position of the graph, in rows and in fractions of its width. */
export async function clickFrame(page: Page, row: number, at: number): Promise<void> {
  const box = await page.locator('#canvas').boundingBox();
  assert.ok(box);
  await page.mouse.click(box.x + at * box.width, box.y + row * 20 + 10);
}
