import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordedWindow } from '../wire/window-lines.ts';
import { measureNoise } from './noise.ts';
import { renderNoise } from './noise-command.ts';

const SAMPLES = 1_000;
const WINDOW_MS = 10_000;

/** mulberry32: small, seeded, good enough to make data. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** An hour of windows in which `f` takes the share that `shareOf` says, with sampling noise. */
function anHour(podUid: string, random: () => number, shareOf: (minute: number) => number): RecordedWindow[] {
  return Array.from({ length: 360 }, (_, i) => {
    const share = shareOf(i / 6);
    const inF = Math.round(share * SAMPLES + Math.sqrt(SAMPLES * share * (1 - share)) * normal(random));
    return {
      meta: {
        node: 'n',
        namespace: 'shop',
        pod: podUid,
        podUid,
        container: 'orders',
        startMs: i * WINDOW_MS,
        endMs: (i + 1) * WINDOW_MS,
        startedAtMs: 0,
        hz: 49,
        cpuUsec: 1,
        throttledUsec: 0,
        samples: SAMPLES,
        lost: 0,
        flags: '',
        jdk: '21',
      },
      stacks: [
        { frames: ['f', 'main'], count: inF },
        { frames: ['g', 'main'], count: SAMPLES - inF },
      ],
    };
  });
}

const noiseOfF = (windows: RecordedWindow[]) => {
  const [noise] = measureNoise(windows);
  const f = noise?.functions.find(({ name }) => name === 'f');
  assert.ok(noise && f);
  return { noise, f };
};

test('pods that differ by sampling alone have next to no spread and a dispersion of one', () => {
  const random = seeded(1);
  const { f } = noiseOfF(['a', 'b', 'c', 'd'].flatMap((pod) => anHour(pod, random, () => 0.2)));

  assert.ok(f.podSd < 0.01, `sd ${f.podSd}`);
  const phi = f.overdispersion.get(120) ?? 0;
  assert.ok(phi > 0.7 && phi < 1.35, `φ ${phi}`);
});

test('the spread between pods is found as a part of the share', () => {
  const random = seeded(2);
  const shares = [0.18, 0.19, 0.2, 0.2, 0.21, 0.22]; // mean 0.2, sd 0.01414
  const { f } = noiseOfF(shares.flatMap((share, i) => anHour(`pod-${i}`, random, () => share)));

  assert.ok(Math.abs(f.podSd - 0.0707) < 0.01, `sd ${f.podSd}`);
});

test('slow waves within a pod show in long blocks more than in short ones', () => {
  const random = seeded(3);
  const wave = (minute: number) => 0.2 + 0.02 * Math.sin(minute / 8);
  const { f } = noiseOfF(['a', 'b'].flatMap((pod) => anHour(pod, random, wave)));

  assert.ok((f.overdispersion.get(120) ?? 0) > 3, 'φ 120 s');
  assert.ok((f.overdispersion.get(600) ?? 0) > (f.overdispersion.get(120) ?? 0), 'φ 600 s');
});

test('a young pod is far from an old one, beyond chance', () => {
  const random = seeded(4);
  const { noise } = noiseOfF(anHour('a', random, (minute) => (minute < 3 ? 0.5 : 0.2)));

  const [youngest] = noise.ages;
  assert.ok(youngest && Math.abs(youngest.distance - 0.3) < 0.02 && youngest.byChance < 0.02);
  assert.ok(noise.ages.slice(4).every(({ distance, byChance }) => distance < 4 * byChance));
});

test('the tables are markdown with a row for each JDK', () => {
  const random = seeded(5);
  const text = renderNoise(measureNoise(['a', 'b'].flatMap((pod) => anHour(pod, random, () => 0.2))));

  assert.match(text, /^\| orders \| 21 \| 2 \| 1\.9 \| 696,000 \| 3 \|/m);
  assert.match(text, /^\| `f` \| 20\.\d% \|/m);
  assert.match(text, /^\| 0 to 1 \| 12,000 \|/m);
});

test('nothing recorded gives an empty table, not an error', () => {
  assert.match(renderNoise(measureNoise([])), /\| Container \|/);
});
