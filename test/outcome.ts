/** What a stage came to, and how it is told at the end of a run, which is the part of the output that CI keeps. */
import { inspect } from 'node:util';

export interface Failure {
  /** `src/native/sampler.test.ts:24`, or the name of a script. */
  readonly where: string;
  readonly name: string;
  readonly why: unknown;
}

export interface Outcome {
  readonly passed: number;
  readonly failures: readonly Failure[];
}

export interface FileSeconds {
  readonly file: string;
  readonly seconds: number;
}

const MAX_FAILURES = 30; // a broken cluster fails everything, and says the same each time
const MAX_LINES = 15;
const MAX_COLUMNS = 300;
const MAX_SLOWEST = 15;
const OF_THE_RUNNER = /^ *at .*\bnode:(internal|async_hooks)\b/;

export function failuresText(failures: readonly Failure[]): string {
  const told = failures.slice(0, MAX_FAILURES).map(({ where, name, why }) => {
    const lines = (why instanceof Error ? inspect(why) : String(why))
      .split('\n')
      .filter((line) => !OF_THE_RUNNER.test(line))
      .slice(0, MAX_LINES);
    return [`✖ ${where}: ${name}`, ...lines.map((line) => `    ${line.slice(0, MAX_COLUMNS)}`)].join('\n');
  });
  const more = failures.length - told.length;
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

export function slowestText(files: readonly FileSeconds[]): string {
  return files
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, MAX_SLOWEST)
    .map(({ file, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${file}`)
    .join('\n');
}
