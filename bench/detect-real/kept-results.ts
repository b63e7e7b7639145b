/** What has been judged so far, a line each: a run that ends early is gone on with, by the same code and of the same recording. */
import { createHash } from 'node:crypto';
import { appendFileSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface KeptResults {
  /** What was found under this name before, else what is found now. */
  once<T>(name: string, find: () => T): T;
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
  return {
    once<T>(name: string, find: () => T): T {
      if (known.has(name)) return known.get(name) as T; // written below, by the same code
      const result = find();
      const line: Line = { key, name, result };
      appendFileSync(path, `\n${JSON.stringify(line)}`);
      return result;
    },
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

const CODE = ['src/detect/*.ts', 'src/requests/*.ts', 'src/wire/window-lines.ts', 'bench/detect-real/*.ts'];

/** They show what was found, or make the recording, which has a part in the key itself. */
const NO_PART = /\.test\.ts$|\/(record|recordings|live-verdicts|noise-page|summary|kept-results)\.ts$/;

export function keyOf(root: string, ...others: readonly string[]): string {
  const hash = createHash('sha256');
  const files = globSync(CODE, { cwd: root }).filter((name) => !NO_PART.test(name));
  for (const file of files.sort()) hash.update(readFileSync(`${root}/${file}`));
  for (const other of others) hash.update(other);
  return hash.digest('hex').slice(0, 16);
}
