/** How soon a diff of 50,000 nodes is to be seen, what a frame of a zoom costs, and what the page weighs: bench/results/ui.json. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';
import { renderDiffPage } from '../src/profile/diff-page.ts';
import type { PageData } from '../src/profile/page-data.ts';
import type { StackCount } from '../src/profile/stack-counts.ts';
import { writeResult } from './machine.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 7);
const NODES = 50_000;
const REPORT_NODES = 10_000;
const STACKS = 700; // each above the smallest share that is drawn
const ZOOMS = 12;

/** Methods of a service: names are met again and again, lines less. */
function stacksOf(nodes: number, canary: boolean): StackCount[] {
  const depth = Math.ceil(nodes / STACKS);
  return Array.from({ length: STACKS }, (_, stack) => {
    const at = (level: number): number => (stack * 31 + level * 17) % 4_000;
    const levels = Array.from({ length: depth }, (_each, level) => depth - level);
    return {
      frames: [
        ...levels.map(
          (level) => `com.shop.orders.pkg${at(level) % 90}.Class${at(level) % 700}.method${at(level)}`,
        ),
        'java.lang.Thread.run',
      ],
      places: [...levels.map((level) => `Class${at(level) % 700}.kt:${at(level) % 500}`), 'Thread.java:840'],
      count: 100 + (canary ? (stack * 7) % 60 : (stack * 5) % 60),
    };
  });
}

const pageOf = (nodes: number): string =>
  renderDiffPage({
    ...{ title: 'bench', subtitle: `${nodes} nodes` },
    views: [
      {
        ...{ id: 'cpu', label: 'CPU', group: 'The service', what: 'CPU' },
        costs: { baseline: { ms: 20, relativeError: 0.02 }, canary: { ms: 22, relativeError: 0.02 } },
        ...{ baseline: stacksOf(nodes, false), canary: stacksOf(nodes, true) },
      },
    ],
  });

/** Before the page's script runs: when the picture is there, and how long the script works for each frame. */
const WATCH = `
  globalThis.frames = [];
  const later = globalThis.requestAnimationFrame.bind(globalThis);
  globalThis.requestAnimationFrame = (draw) => later((now) => {
    const began = performance.now();
    draw(now);
    globalThis.frames.push(performance.now() - began);
  });
  globalThis.painted = new Promise((resolve) => {
    const look = () => document.querySelector('#canvas[data-ready]') === null
      ? later(look)
      : later(() => later(() => resolve(performance.now())));
    later(look);
  });`;

interface Round {
  readonly paintMs: number;
  readonly frameMs: readonly number[];
  /** Of the renderer and of who puts its pictures on the screen: what a busy machine does not make longer. */
  readonly paintCpuMs: number;
  readonly frameCpuMs: number;
}

async function cpuMsOf(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const seconds = processInfo
    .filter(({ type }) => type === 'renderer' || type === 'GPU')
    .map(({ cpuTime }) => cpuTime);
  return 1_000 * seconds.reduce((sum, one) => sum + one, 0);
}

async function measured(browser: Browser, url: string): Promise<Round> {
  const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
  await page.addInitScript(WATCH);
  const idleMs = await cpuMsOf(browser);
  await page.goto(url);
  const paintMs = await page.evaluate<number>('globalThis.painted');
  const paintedMs = await cpuMsOf(browser);
  await page.evaluate('globalThis.frames.length = 0');
  const box = await page.locator('#canvas').boundingBox();
  if (box === null) throw new Error('there is no picture');
  for (let zoom = 0; zoom < ZOOMS; zoom += 1) {
    await page.mouse.click(box.x + (0.1 + 0.06 * zoom) * box.width, box.y + 22 * (zoom % 3) + 11);
    await page.waitForTimeout(300); // an animation takes 180 ms
    await page.keyboard.press('Escape');
    await page.waitForTimeout(300);
  }
  const frameMs = await page.evaluate<readonly number[]>('globalThis.frames');
  const frameCpuMs = ((await cpuMsOf(browser)) - paintedMs) / Math.max(1, frameMs.length);
  await page.close();
  return { paintMs, frameMs, paintCpuMs: paintedMs - idleMs, frameCpuMs };
}

/** Of the picture that is shown first. */
function nodesIn(html: string): number {
  const [, json = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html) ?? [];
  const [view]: PageData['views'] = JSON.parse(json).views;
  return (view?.folded ?? view?.raw)?.tree.name.length ?? 0;
}

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ??
  Number.NaN;
const rounded = (ms: number): number => Number(ms.toFixed(1));

const directory = mkdtempSync(join(tmpdir(), 'flamegate-ui-'));
const browser = await chromium.launch({
  executablePath: process.env['FLAMEGATE_CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
try {
  const file = join(directory, 'page.html');
  const html = pageOf(NODES);
  const report = pageOf(REPORT_NODES);
  writeFileSync(file, html);
  const rounds: Round[] = [];
  await measured(browser, pathToFileURL(file).href); // the browser's own first steps are not the page's
  for (let round = 0; round < ROUNDS; round += 1)
    rounds.push(await measured(browser, pathToFileURL(file).href));
  const paints = rounds.map(({ paintMs }) => paintMs);
  const frames = rounds.flatMap(({ frameMs }) => frameMs);
  const empty = renderDiffPage({ title: '', subtitle: '', views: [] });
  const result = {
    nodes: nodesIn(html),
    firstPaintMs: rounded(quantile(paints, 0.5)),
    firstPaintWorstMs: rounded(Math.max(...paints)),
    zoomFrameMs: rounded(quantile(frames, 0.95)),
    zoomFrameMedianMs: rounded(quantile(frames, 0.5)),
    firstPaintCpuMs: rounded(
      quantile(
        rounds.map(({ paintCpuMs }) => paintCpuMs),
        0.5,
      ),
    ),
    zoomFrameCpuMs: rounded(
      quantile(
        rounds.map(({ frameCpuMs }) => frameCpuMs),
        0.5,
      ),
    ),
    pageGzipKb: rounded(gzipSync(empty).length / 1_000),
    reportNodes: nodesIn(report),
    reportKb: rounded(Buffer.byteLength(report) / 1_000),
    rounds: ROUNDS,
    noise: { firstPaintMs: paints.map(rounded) },
  };
  const { nodes, firstPaintMs, zoomFrameMs, pageGzipKb, reportKb } = result;
  console.log(
    `first paint of ${nodes} nodes   ${firstPaintMs} ms (bar 500; worst ${result.firstPaintWorstMs}; CPU ${result.firstPaintCpuMs} ms)`,
  );
  console.log(
    `a frame of a zoom, P95      ${zoomFrameMs} ms (bar 16; median ${result.zoomFrameMedianMs}; CPU ${result.zoomFrameCpuMs} ms)`,
  );
  console.log(`script, style and shell     ${pageGzipKb} KB gzip (bar 150)`);
  console.log(`report of ${result.reportNodes} nodes      ${reportKb} KB (bar 1,000)`);
  console.log(`wrote ${writeResult('ui', 'make bench-ui', '-', result)}`);
} finally {
  await browser.close();
  rmSync(directory, { recursive: true, force: true });
}
