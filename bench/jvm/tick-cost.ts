/** What one tick costs the CPU it falls on, beside our program (tick_cost.c says how). */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('tick_cost.c', import.meta.url));
const CPU = '1';
const ROUNDS = '200';

export function measureTick(): { readonly micros: number; readonly noiseMicros: number } {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-tick-'));
  try {
    const program = join(directory, 'tick-cost');
    execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-o', program, SOURCE]);
    const text = execFileSync(program, [CPU, ROUNDS], { encoding: 'utf8' });
    const [micros = Number.NaN, noiseMicros = Number.NaN] = text.trim().split(' ').map(Number);
    return { micros, noiseMicros };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
