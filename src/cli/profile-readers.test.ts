/** Files as `flamegate record` writes them, of real pods, opened by `go tool pprof` and by speedscope in a browser: both have what we wrote. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { launchChromium } from '../../web/browser-fixture.ts';
import { codecPage } from '../../web/page-fixture.ts';
import { parsePlace } from '../profile/place.ts';
import type { StackCount } from '../profile/stack-counts.ts';
import { writeProfile } from './write-profile.ts';

const FREQUENCY_HZ = 100;
const PERIOD_NS = 1e9 / FREQUENCY_HZ;
const directory = mkdtempSync(join(tmpdir(), 'flamegate-readers-'));
const file = join(directory, 'canary.pb.gz');
let stacks: readonly StackCount[];
let written: Seen;

/** A profile, whoever read it: nanoseconds of each stack of functions, root first, and the lines each function stands in. */
interface Seen {
  readonly ns: ReadonlyMap<string, number>;
  readonly lines: ReadonlyMap<string, ReadonlySet<number>>;
}

before(async () => {
  stacks = codecPage().views[0]?.canary ?? [];
  await writeProfile(file, stacks, { startMs: 0, endMs: 60_000, frequencyHz: FREQUENCY_HZ });
  written = seen(
    stacks.map(({ frames, places, count }) => ({
      ns: count * PERIOD_NS,
      frames: frames.map((name, at) => ({ name, ...parsePlace(places?.[at] ?? '') })).toReversed(),
    })),
  );
});

after(() => rmSync(directory, { recursive: true }));

interface ReadFrame {
  readonly name: string;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}

interface ReadSample {
  readonly ns: number;
  /** Root first. */
  readonly frames: readonly ReadFrame[];
}

function seen(samples: readonly ReadSample[]): Seen {
  const ns = new Map<string, number>();
  const lines = new Map<string, Set<number>>();
  const nameOf = ({ name, file: of = '' }: ReadFrame): string => `${name} (${of})`;
  for (const sample of samples) {
    const stack = sample.frames.map(nameOf).join(';');
    ns.set(stack, (ns.get(stack) ?? 0) + sample.ns);
    for (const frame of sample.frames) {
      const known = lines.get(nameOf(frame)) ?? new Set();
      lines.set(nameOf(frame), frame.line ? known.add(frame.line) : known);
    }
  }
  return { ns, lines };
}

const total = ({ ns }: Seen): number => [...ns.values()].reduce((sum, each) => sum + each, 0);

test('the file has inlined frames and lines, so that there is something to lose', () => {
  const inlined = stacks.flatMap(({ frames }) => frames).filter((name) => name.endsWith('_[s]'));
  const withSeveralLines = [...written.lines.values()].filter(({ size }) => size > 1);

  assert.ok(written.ns.size > 1_000, `${written.ns.size} stacks`);
  assert.ok(inlined.length > 0, `${inlined.length} inlined leaves that are not certain`);
  assert.ok(withSeveralLines.length > 100, `${withSeveralLines.length} functions with several lines`);
});

test('go tool pprof has the same stacks, inlined frames among them, totals and lines', () => {
  const raw = execFileSync('go', ['tool', 'pprof', '-raw', file], {
    ...{ encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  });

  const read = seen(samplesInRaw(raw));

  assert.equal(total(read), total(written));
  assert.deepEqual(read.ns, written.ns);
  assert.deepEqual(read.lines, written.lines);
});

test('speedscope has the same stacks and totals, and of each function one of its lines', async () => {
  const read = seen(await samplesInSpeedscope());

  assert.equal(total(read), total(written));
  assert.deepEqual(read.ns, written.ns);
  for (const [name, lines] of read.lines) {
    const all = written.lines.get(name) ?? assert.fail(name);
    // 1.25 keeps one line for a function, whichever it met last; the stacks with the others are there
    assert.equal(lines.size, Math.min(1, all.size), name);
    for (const line of lines) assert.ok(all.has(line), `${name}:${line}`);
  }
});

/** `       10000000: 3 2 1`, leaf first, and `     3: 0x0 M=1 shop.Codec.encode Codec.kt:87:0 s=0`. */
function samplesInRaw(raw: string): readonly ReadSample[] {
  const frames = new Map<string, ReadFrame>();
  for (const [, id = '', name = '', of = '', line = ''] of raw.matchAll(
    /^ +(\d+): 0x0 M=1 (.+) (\S*?):(\d+)(?::\d+)? s=0\(\)$/gm,
  ))
    frames.set(id, { name, file: of, line: Number(line) });
  return [...raw.matchAll(/^ +(\d+): ([\d ]*)$/gm)].map(([, ns, ids = '']) => ({
    ns: Number(ns),
    frames: (ids.match(/\d+/g) ?? []).map((id) => frames.get(id) ?? assert.fail(id)).toReversed(),
  }));
}

interface Exported {
  readonly shared: { readonly frames: readonly ReadFrame[] };
  readonly profiles: readonly {
    readonly unit: string;
    readonly events: readonly { readonly type: 'O' | 'C'; readonly frame: number; readonly at: number }[];
  }[];
}

/** As its own export has it. The page is a file, and asks no network for anything. */
async function samplesInSpeedscope(): Promise<readonly ReadSample[]> {
  const fetched = execFileSync(new URL('../../test/speedscope/fetch.sh', import.meta.url).pathname, {
    encoding: 'utf8',
  }).trim();
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    const loader = join(directory, 'load.js'); // as its own command line has it
    const base64 = readFileSync(file).toString('base64');
    writeFileSync(loader, `speedscope.loadFileFromBase64('canary.pb.gz', '${base64}')`);
    const index = pathToFileURL(join(fetched, 'index.html')).href;
    await page.goto(`${index}#localProfilePath=${encodeURIComponent(loader)}`);
    await page.getByText('canary.pb.gz').first().waitFor();
    const download = page.waitForEvent('download');
    await page.keyboard.press('Control+s');
    const saved = join(directory, 'speedscope.json');
    await (await download).saveAs(saved);
    const { shared, profiles }: Exported = JSON.parse(readFileSync(saved, 'utf8'));
    const [profile] = profiles;
    assert.equal(profile?.unit, 'nanoseconds');
    return samplesOf(profile.events, shared.frames);
  } finally {
    await browser.close();
  }
}

/** Frames open and close; what passes between two events is of those that are open. */
function samplesOf(
  events: Exported['profiles'][number]['events'],
  all: readonly ReadFrame[],
): readonly ReadSample[] {
  const samples: ReadSample[] = [];
  const open: ReadFrame[] = [];
  let lastNs = 0;
  for (const { type, frame, at } of events) {
    if (at > lastNs) samples.push({ ns: at - lastNs, frames: [...open] });
    lastNs = at;
    if (type === 'O') open.push(all[frame] ?? assert.fail(String(frame)));
    else open.pop();
  }
  return samples;
}
