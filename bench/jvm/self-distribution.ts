/** Which methods ran, by how many samples, and how far two such distributions are apart. */
import { javaMethodName } from '../../src/symbols/java-name.ts';
import { type FrameNames, methodName, type Stack } from './stack.ts';

export type Distribution = ReadonlyMap<string, number>;

/** Samples by their leafmost Java method; those without one are left out. */
export function selfByMethod(stacks: readonly Stack[], names: FrameNames): Distribution {
  const self = new Map<string, number>();
  for (const { count, frames } of stacks) {
    const leaf = frames.find((frame) => frame.kind === 'java');
    const name = leaf && methodName(leaf, names);
    if (name !== undefined) self.set(name, (self.get(name) ?? 0) + count);
  }
  return self;
}

// async-profiler with `ann`: "a/b/C.d_[j];a/b/C.e_[i];memcpy 12", root first; 0, 1, i and j mark Java frames.
const ANNOTATED_JAVA = /^(.*)\.(.+)_\[[01ij]\]$/;

/** The same from async-profiler's collapsed stacks, under the names we give. */
export function selfOfCollapsed(text: string): Distribution {
  const self = new Map<string, number>();
  for (const line of text.split('\n')) {
    const end = line.lastIndexOf(' ');
    const frames = line.slice(0, end).split(';').reverse();
    const [, holder, method] = frames.map((frame) => ANNOTATED_JAVA.exec(frame)).find(Boolean) ?? [];
    if (holder === undefined || method === undefined) continue;
    const name = javaMethodName(holder, method);
    self.set(name, (self.get(name) ?? 0) + Number(line.slice(end + 1)));
  }
  return self;
}

/** Total variation: 0 for the same shares, 1 for nothing in common. Null if either is empty. */
export function distance(one: Distribution, other: Distribution): number | null {
  const [all, allOther] = [total(one), total(other)];
  if (all === 0 || allOther === 0) return null;
  const methods = new Set([...one.keys(), ...other.keys()]);
  let sum = 0;
  for (const name of methods) sum += Math.abs((one.get(name) ?? 0) / all - (other.get(name) ?? 0) / allOther);
  return Number((sum / 2).toFixed(4));
}

export function total(distribution: Distribution): number {
  return Array.from(distribution.values()).reduce((sum, count) => sum + count, 0);
}

/** Where they differ most, in words. */
export function largestDifferences(one: Distribution, other: Distribution, most: number): readonly string[] {
  const [all, allOther] = [total(one), total(other)];
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  return Array.from(new Set([...one.keys(), ...other.keys()]), (name) => {
    const shares = [(one.get(name) ?? 0) / all, (other.get(name) ?? 0) / allOther] as const;
    return { name, shares, gap: Math.abs(shares[0] - shares[1]) };
  })
    .sort((a, b) => b.gap - a.gap)
    .slice(0, most)
    .map(({ name, shares: [ours, theirs] }) => `${percent(ours)} against ${percent(theirs)}: ${name}`);
}
