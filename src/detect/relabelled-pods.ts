/** Which of a baseline's pods stand in for canaries: a gate over such a split compares a version with itself. */
import type { Random } from './seeded-random.ts';

/** Every choice of `canaries` pods where there are no more than `most`, else `most` different ones, drawn. */
export function chooseCanaries<Pod>(
  pods: readonly Pod[],
  canaries: number,
  most: number,
  random: Random,
): readonly (readonly Pod[])[] {
  if (canaries < 1 || canaries > pods.length || most < 1) return [];
  if (choices(pods.length, canaries) <= most) return [...everyChoice(pods, canaries)];
  const drawn = new Map<string, readonly Pod[]>();
  // Each draw is new with a chance that falls to 1/choices only when nearly all are drawn; the bound is for that case.
  for (let tries = 0; drawn.size < most && tries < 20 * most; tries++) {
    const places = drawPlaces(pods.length, canaries, random);
    drawn.set(
      places.join(),
      places.flatMap((place) => pods.slice(place, place + 1)),
    );
  }
  return [...drawn.values()];
}

/** n over k. */
export function choices(n: number, k: number): number {
  let product = 1;
  for (let at = 1; at <= Math.min(k, n - k); at++) product = (product * (n - at + 1)) / at;
  return k > n ? 0 : Math.round(product);
}

function* everyChoice<Pod>(pods: readonly Pod[], canaries: number, from = 0): Generator<readonly Pod[]> {
  if (canaries === 0) {
    yield [];
    return;
  }
  for (let at = from; at <= pods.length - canaries; at++) {
    const first = pods.slice(at, at + 1);
    for (const rest of everyChoice(pods, canaries - 1, at + 1)) yield [...first, ...rest];
  }
}

/** In ascending order. */
function drawPlaces(pods: number, canaries: number, random: Random): number[] {
  const places = new Set<number>();
  while (places.size < canaries) places.add(Math.floor(random() * pods));
  return [...places].sort((a, b) => a - b);
}
