/** What has been simulated so far, kept on disk so that a run that ends early is gone on with. */
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Tally } from './tally.ts';

/** Tallies by the name of what was simulated. */
export type Tallies = Record<string, Tally>;

/** Of all code that has a part in a result: what was simulated with other code counts no more. */
export function fingerprint(root: string): string {
  const hash = createHash('sha256');
  const files = globSync(['src/detect/*.ts', 'src/requests/*.ts', 'bench/detect/*.ts'], { cwd: root });
  for (const file of files.filter((name) => !name.endsWith('.test.ts')).sort()) {
    hash.update(readFileSync(`${root}/${file}`));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Empty where there is nothing, or what there is comes from other code. */
export function readProgress(path: string, code: string): Tallies {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return {}; // the first run
  }
  const kept = JSON.parse(text) as { readonly code: string; readonly tallies: Tallies };
  return kept.code === code ? kept.tallies : {};
}

/** Whole or not at all: a run may be ended at any time. */
export function writeProgress(path: string, code: string, tallies: Tallies): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify({ code, tallies }));
  renameSync(`${path}.new`, path);
}
