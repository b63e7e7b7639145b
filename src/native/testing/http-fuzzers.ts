/** For tests: the readers of HTTP against mutations of what is kept in test/fixtures, under sanitizers (native/testing/*_fuzz.cc). */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface HttpFuzzer {
  readonly reads: 'HTTP/1.1' | 'HTTP/2' | 'HPACK';
  readonly program: string;
  readonly corpus: readonly string[];
}

const BUILD = fileURLToPath(new URL('../../../build/', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/', import.meta.url));
const corpusOf = (pattern: string) => globSync(`${FIXTURES}${pattern}`).toSorted();

export const HTTP_FUZZERS: readonly HttpFuzzer[] = [
  { reads: 'HTTP/1.1', program: 'http-fuzz', corpus: corpusOf('http/!(h2-*).calls') },
  { reads: 'HTTP/2', program: 'http-fuzz', corpus: corpusOf('http/h2-*.calls') },
  { reads: 'HPACK', program: 'hpack-fuzz', corpus: corpusOf('hpack/*.blocks') },
];

export interface FuzzOutcome {
  readonly status: number | null;
  readonly signal: string | null;
  /** How many inputs were tried. */
  readonly stdout: string;
  /** What a sanitizer found. */
  readonly stderr: string;
}

/** What a seed found is found again by it. */
export function fuzzHttp({ program, corpus }: HttpFuzzer, seed: number, seconds: number): FuzzOutcome {
  const argv = [String(seed), String(seconds), ...corpus];
  return spawnSync(`${BUILD}${program}`, argv, { encoding: 'utf8' });
}
