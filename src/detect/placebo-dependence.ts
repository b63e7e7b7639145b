/**
 * What many placebo gates over few pods are worth. Gates that share pods, or a time, fail together: a block bootstrap over both says
 * how far their rate would stray if the pods and the times had been others, and with how many independent gates it would stray as far.
 */
import { normalQuantile } from './quantiles.ts';
import type { Random } from './seeded-random.ts';

export interface ClusteredGate {
  /** Gates of one time have the same. */
  readonly time: number;
  /** In the place of canaries. */
  readonly pods: readonly string[];
  readonly failed: boolean;
  /** How near to Failed it came; 1: as much as would be proven nine times of ten. */
  readonly nearness: number;
}

const ROUNDS = 1_000; // an error of a variance of some 5 %, and milliseconds
const NEAREST_PART = 0.1;

/**
 * Independent gates that would tell the rate as well. Where none failed, failures cannot say how they come together; those that came
 * nearest to one can. The smaller of the two counts.
 */
export function effectiveGates(gates: readonly ClusteredGate[], random: Random): number {
  if (gates.length === 0) return 0;
  const ascending = gates.map(({ nearness }) => nearness).sort((a, b) => a - b);
  const near = ascending[Math.floor((1 - NEAREST_PART) * ascending.length)] ?? Number.POSITIVE_INFINITY;
  const marks = [gates.map(({ failed }) => failed), gates.map(({ nearness }) => nearness >= near)];
  return Math.min(...marks.map((marked) => worthOf(gates, marked, random)));
}

function worthOf(gates: readonly ClusteredGate[], marked: readonly boolean[], random: Random): number {
  const part = marked.filter(Boolean).length / gates.length;
  const binomial = part * (1 - part);
  if (binomial === 0) return gates.length; // what all gates, or none, do says nothing of how they go together
  return Math.max(1, binomial / varianceOfPart(gates, marked, random));
}

/**
 * Times and pods are drawn with replacement, and a gate counts as often as its time and each of its pods was drawn. That alone would
 * count the noise of single gates many times over (Owen, The pigeonhole bootstrap, 2007); how much it does shows on the
 * same draws with the marks dealt out at random, and is taken off.
 */
function varianceOfPart(gates: readonly ClusteredGate[], marked: readonly boolean[], random: Random): number {
  const times = numbered(gates.map(({ time }) => time));
  const pods = numbered(gates.flatMap((gate) => gate.pods));
  const members = gates.map((gate) => ({
    time: times.get(gate.time) ?? 0,
    pods: gate.pods.map((pod) => pods.get(pod) ?? 0),
  }));
  const dealt = marked.map((mark) => (mark ? 1 : 0));
  const together = new Moments();
  const apart = new Moments();
  for (let round = 0; round < ROUNDS; round++) {
    const ofTime = drawn(times.size, random);
    const ofPod = drawn(pods.size, random);
    shuffle(dealt, random);
    let whole = 0;
    let seen = 0;
    let seenDealt = 0;
    members.forEach((member, gate) => {
      let weight = ofTime[member.time] ?? 0;
      for (const pod of member.pods) weight *= ofPod[pod] ?? 0;
      whole += weight;
      if (marked[gate] === true) seen += weight;
      seenDealt += weight * (dealt[gate] ?? 0);
    });
    if (whole === 0) continue; // all draws were of pods that no gate has together
    together.add(seen / whole);
    apart.add(seenDealt / whole);
  }
  const part = marked.filter(Boolean).length / gates.length;
  const independent = (part * (1 - part)) / gates.length;
  return independent + Math.max(0, together.variance() - apart.variance());
}

const numbered = <T>(values: readonly T[]): Map<T, number> =>
  new Map([...new Set(values)].map((value, number) => [value, number]));

/** How often each of so many is drawn, in one draw less: with as many, the variance would be too small by that part. */
function drawn(size: number, random: Random): Float64Array {
  const times = new Float64Array(size);
  for (let draw = 0; draw < Math.max(1, size - 1); draw++) {
    const at = Math.floor(random() * size);
    times[at] = (times[at] ?? 0) + 1;
  }
  return times;
}

function shuffle(values: number[], random: Random): void {
  for (let at = values.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    const value = values[at] ?? 0;
    values[at] = values[other] ?? 0;
    values[other] = value;
  }
}

class Moments {
  #count = 0;
  #sum = 0;
  #squares = 0;

  add(value: number): void {
    this.#count += 1;
    this.#sum += value;
    this.#squares += value ** 2;
  }

  variance(): number {
    return this.#count < 2
      ? 0
      : Math.max(0, (this.#squares - this.#sum ** 2 / this.#count) / (this.#count - 1));
  }
}

const CONFIDENCE = 0.95;

/** Wilson's interval of a part that was seen in so many independent gates, which need be no whole number. */
export function intervalOfPart(part: number, gates: number): readonly [number, number] {
  if (gates <= 0) return [0, 1];
  const z2 = normalQuantile(1 - (1 - CONFIDENCE) / 2) ** 2;
  const centre = (part + z2 / (2 * gates)) / (1 + z2 / gates);
  const half = Math.sqrt(z2 * ((part * (1 - part)) / gates + z2 / (4 * gates ** 2))) / (1 + z2 / gates);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
