/** Where a figure was measured: every result file carries this. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly jdk: string;
}

export function machine(jdk: string): Machine {
  const all = cpus();
  return { cpu: all[0]?.model ?? 'unknown', cores: all.length, kernel: release(), jdk };
}

/** Writes bench/results/NAME.json with the fields every result has. */
export function writeResult(name: string, command: string, jdk: string, result: object): string {
  const path = fileURLToPath(new URL(`results/${name}.json`, import.meta.url));
  mkdirSync(fileURLToPath(new URL('results', import.meta.url)), { recursive: true });
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const document = { machine: machine(jdk), date: new Date().toISOString(), commit, command, ...result };
  writeFileSync(path, `${JSON.stringify(document, null, 2)}\n`);
  return path;
}
