/**
 * The newcomer's path: a clean clone, the commands that README.md has under "Try it" and nothing else, up to the verdict on the page. What the
 * machine has cached (Kubernetes, packages) is used, as by whoever tries it a second time.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { launchChromium } from '../../web/browser-fixture.ts';
import { documentedCommands } from '../bare/documented-commands.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const clone = mkdtempSync(join(tmpdir(), 'flamegate-newcomer-'));
const [DEMO = '', DEMO_DOWN = ''] = documentedCommands('README.md', 'try').trim().split('\n');
const NAME = 'flamegate-newcomer';
const STATE = join('/var/tmp/flamegate', NAME);

const OWN_PROGRAMS = /\/node_modules\//; // by which this test runs, and which a newcomer has not got
const PATH = (process.env['PATH'] ?? '').split(':').filter((directory) => !OWN_PROGRAMS.test(directory));

/** What a login shell has, and a name of its own for the cluster, beside which the tests' may run. */
const ENV = {
  ...{ PATH: PATH.join(':'), HOME: process.env['HOME'], LANG: 'C.UTF-8' },
  ...{ CLUSTER_NAME: NAME, CLUSTER_NET: '10.234', CLUSTER_VETH: 'fgn' },
};

function type(command: string): string {
  const started = performance.now();
  const done = spawnSync('bash', ['-c', command], {
    ...{ cwd: clone, env: ENV, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
    timeout: 60 * 60_000, // four minutes where nothing else runs
  });
  console.log(`${command}: ${Math.round((performance.now() - started) / 1_000)} s`);
  assert.equal(done.status, 0, `${done.stdout.slice(-4_000)}\n${done.stderr.slice(-4_000)}`);
  return done.stdout;
}

before(() => {
  const cloned = spawnSync('git', ['clone', '--quiet', '--no-local', ROOT, clone], { encoding: 'utf8' });
  assert.equal(cloned.status, 0, cloned.stderr);
});

after(() => {
  if (existsSync(STATE)) spawnSync('make', ['demo-down'], { cwd: clone, env: ENV });
  rmSync(clone, { recursive: true, force: true });
});

test('from a clean clone to the verdict on the page, by the commands of README.md', async () => {
  const said = type(DEMO);
  const [row] = said.match(/^orders .* Failed .*$/m) ?? [];
  assert.ok(row, said.slice(-4_000));
  console.log(row);
  assert.match(said, /\bSlowCodec\.(en|de)code\b/, said.slice(-4_000)); // in the report: the gate's own row has room for one function
  const [, page = ''] = DEMO.match(/(build\/\S+\.html)/) ?? [];
  const browser = await launchChromium();
  try {
    const opened = await browser.newPage();
    await opened.goto(pathToFileURL(join(clone, page)).href);
    await opened.waitForSelector('#canvas[data-ready]', { state: 'attached' });
    for (const said of [/\bFailed\b/, /SlowCodec\.decode/])
      assert.equal(await opened.getByText(said).first().isVisible(), true, String(said));
  } finally {
    await browser.close();
  }

  type(DEMO_DOWN);
  assert.equal(existsSync(STATE), false);
});
