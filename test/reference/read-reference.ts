import { readFileSync } from 'node:fs';

export interface ReferenceCase<Args, Expected> {
  readonly args: Args;
  readonly expected: Expected;
}

const file = new URL('./detect-reference.json', import.meta.url);

/** Cases of one function, computed by detect-reference.py with numpy and scipy. */
export function readReference<Args, Expected>(name: string): readonly ReferenceCase<Args, Expected>[] {
  const all = JSON.parse(readFileSync(file, 'utf8')) as Record<
    string,
    readonly ReferenceCase<Args, Expected>[]
  >;
  const cases = all[name];
  if (cases === undefined || cases.length === 0) throw new Error(`no reference values for ${name}`);
  return cases;
}

/** Fails where two numbers differ by more than a relative 1e-9. */
export function isClose(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected));
}
