import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { JDKS } from '../../agent/jvm-fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'flamegate-compared-'));
after(() => rmSync(directory, { recursive: true }));
const MARK = `flamegate.compared=${process.pid}`;
/** Recursive, so that no compiler makes one function of all. `more` is what the canary does besides. */
const PROGRAM = `public class Compared {
  static volatile long sink;
  static long work(int n, long x) { return n < 2 ? x * 31 + n : work(n - 1, x) + work(n - 2, x); }
  static long more(int n, long x) { return n < 2 ? x * 17 + n : more(n - 1, x) + more(n - 2, x); }
  public static void main(String[] args) {
    for (long end = System.nanoTime() + 120_000_000_000L; System.nanoTime() < end; ) {
      sink = work(22, sink);
      if (Boolean.getBoolean("more")) sink = more(21, sink);
    }
  }
}
`;

const compare = (...args: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, '../main.ts'), 'compare', ...args], {
    encoding: 'utf8',
    timeout: 240_000,
  });

const leftOver = () =>
  readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`-D${MARK}\0`);
    } catch {
      return false; // no process, or it has ended
    }
  });

const [jdk] = JDKS;
const java = (...properties: string[]) =>
  [`exec ${jdk}/bin/java`, ...[MARK, ...properties].map((property) => `-D${property}`)]
    .concat(`-XX:+UseSerialGC -cp ${directory} Compared`)
    .join(' ');

before(() => {
  writeFileSync(join(directory, 'Compared.java'), PROGRAM);
  const compiled = spawnSync(`${jdk}/bin/javac`, ['-d', directory, join(directory, 'Compared.java')]);
  assert.equal(compiled.status, 0, String(compiled.stderr));
});

test('a slower build fails by the name of its function, and the same build passes', () => {
  const against = (canary: string) =>
    compare(
      ...['--baseline', java(), '--canary', canary, '--ready', '1s', '--warm-up', '1s', '--run', '2s'],
      ...['--fail-on', '10%', '--deadline', '3m', '-o', 'json'], // less than one where nothing else runs
    );

  const slower = against(java('more=true'));
  assert.equal(slower.status, 1, slower.stderr);
  const failed = JSON.parse(slower.stdout);
  assert.deepEqual([failed.verdict, failed.functions[0]?.name], ['Failed', 'Compared.more']);

  const same = against(java());
  assert.equal(same.status, 0, same.stderr + same.stdout);
  assert.equal(JSON.parse(same.stdout).verdict, 'Passed');
});

test('a comparison that runs out of time is inconclusive; page and nothing else is left', () => {
  const page = join(directory, 'page.html');

  const { status, stdout, stderr } = compare(
    ...['--baseline', java(), '--canary', `echo "port $PORT" >&2; ${java()}`, '--load', 'exec sleep 600'],
    ...['--ready', '1s', '--warm-up', '2s', '--run', '3s', '--deadline', '10s', '-o', 'json', '--page', page],
  );

  assert.equal(status, 3, stderr);
  const { verdict, rounds, samples } = JSON.parse(stdout);
  assert.deepEqual([verdict, rounds], ['Inconclusive', 1]);
  assert.ok(samples.baseline > 0 && samples.canary > 0);
  assert.match(stderr, /^port \d+$/m);
  assert.match(readFileSync(page, 'utf8'), /<title>Canary against baseline: Inconclusive</);
  assert.deepEqual(leftOver(), []);
});

test('a build that ends by itself is no verdict', () => {
  const { status, stderr, stdout } = compare('--baseline', 'exit 7', '--canary', 'exit 7', '--ready', '9s');
  assert.equal(status, 4);
  assert.match(stderr, /COMMAND_FAILED: exit 7 ended with 7 before its run was over/);
  assert.equal(stdout, '');
});
