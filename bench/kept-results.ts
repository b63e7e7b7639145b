/** What a long benchmark has found so far, a line each: a run that ends early is gone on with, by the same code and of the same input. */
import { createHash } from 'node:crypto';
import { appendFileSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface KeptResults {
  /** What was found under this name before, else what is found now. */
  once<T>(name: string, find: () => T): T;
  onceCome<T>(name: string, find: () => Promise<T>): Promise<T>;
}

interface Line {
  readonly key: string;
  readonly name: string;
  readonly result: unknown;
}

/** `key`: of everything that has a part in a result. */
export function openResults(path: string, key: string): KeptResults {
  const known = new Map(
    linesOf(path)
      .filter((line) => line.key === key)
      .map(({ name, result }) => [name, result]),
  );
  mkdirSync(dirname(path), { recursive: true });
  const keep = <T>(name: string, result: T): T => {
    const line: Line = { key, name, result };
    appendFileSync(path, `\n${JSON.stringify(line)}`);
    return result;
  };
  return {
    // What is known was written by keep, by the same code.
    once: <T>(name: string, find: () => T) => (known.has(name) ? (known.get(name) as T) : keep(name, find())),
    onceCome: async <T>(name: string, find: () => Promise<T>) =>
      known.has(name) ? (known.get(name) as T) : keep(name, await find()),
  };
}

function linesOf(path: string): Line[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return []; // the first run
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return []; // empty, or cut by the end of the run that wrote it
    }
  });
}

/** Of the text of these files (globs in `root`, tests left out) and of whatever else has a part in a result. */
export function keyOf(root: string, code: readonly string[], ...others: readonly string[]): string {
  const hash = createHash('sha256');
  const files = globSync(code, { cwd: root }).filter((name) => !name.endsWith('.test.ts'));
  for (const file of files.sort()) hash.update(readFileSync(`${root}/${file}`));
  for (const other of others) hash.update(other);
  return hash.digest('hex').slice(0, 16);
}
