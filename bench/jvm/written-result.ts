/** bench/results/jvm.json as it is, of which one part at a time can be measured anew. */
import { readFileSync, writeFileSync } from 'node:fs';

const PATH = new URL('../results/jvm.json', import.meta.url);

export const readResult = () => JSON.parse(readFileSync(PATH, 'utf8'));

/** Leaves all else as it was measured. */
export function writePart(part: object): void {
  writeFileSync(PATH, `${JSON.stringify({ ...readResult(), ...part }, null, 2)}\n`);
}
