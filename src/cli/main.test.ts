import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const directory = mkdtempSync(join(tmpdir(), 'flamegate-cli-'));
after(() => rmSync(directory, { recursive: true }));

const PROGRAM = join(import.meta.dirname, 'main.ts');
const flamegate = (...args: string[]) =>
  spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: directory },
    timeout: 60_000,
  });
const path = (name: string): string => join(directory, name);

test('help is an answer, and names every command and exit code', () => {
  const { status, stdout } = flamegate('--help');

  assert.equal(status, 0);
  for (const word of ['report', 'diff', 'record', 'noise', 'replay', 'plan', 'gate wait', 'Exit codes']) {
    assert.ok(stdout.includes(word), word);
  }
});

test('two collapsed files become a page', () => {
  writeFileSync(path('a.collapsed'), 'main;fast 10\n');
  writeFileSync(path('b.collapsed'), 'main;slow 30\n');

  const { status, stdout } = flamegate(
    'diff',
    path('a.collapsed'),
    path('b.collapsed'),
    '-o',
    path('d.html'),
  );

  assert.equal(status, 0);
  assert.equal(
    stdout,
    `wrote ${path('d.html')}: 30 against 10 samples

SELF, BASELINE  SELF, CANARY  CHANGE   WITH CALLEES  FUNCTION
100.00%         0.00%         -100.00  -100.00       fast
0.00%           100.00%       +100.00  +100.00       slow
`,
  );
  assert.match(
    readFileSync(path('d.html'), 'utf8'),
    /^<!doctype html>[\s\S]*b\.collapsed against a\.collapsed/,
  );
});

test('functions of coroutines are told as in the source, or as they were sampled', () => {
  const stack =
    'kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith;shop.Orders$find$1.invokeSuspend';
  writeFileSync(path('c.collapsed'), `${stack} 10\nmain 30\n`);
  writeFileSync(path('e.collapsed'), `${stack} 30\nmain 10\n`);
  const diff = (...options: string[]) =>
    flamegate('diff', path('c.collapsed'), path('e.collapsed'), '-o', path('f.html'), ...options).stdout;

  assert.match(diff(), /^25\.00% +75\.00% +\+50\.00 +\+50\.00 +suspend shop\.Orders\.find$/m);
  assert.match(readFileSync(path('f.html'), 'utf8'), /"beginsRaw":false/);
  assert.match(
    diff('--raw'),
    /^25\.00% +75\.00% +\+50\.00 +\+50\.00 +shop\.Orders\$find\$1\.invokeSuspend$/m,
  );
  assert.match(readFileSync(path('f.html'), 'utf8'), /"beginsRaw":true/);
});

test('what fails says its code, the file and the line, and exits with 4', () => {
  writeFileSync(path('broken.collapsed'), 'main;fast 10\nmain;slow\n');

  const broken = flamegate('diff', path('broken.collapsed'), path('broken.collapsed'), '-o', path('x.html'));
  const missing = flamegate('noise', path('nowhere'));
  const unreachable = flamegate('report', 'shop/orders-1', '--kubeconfig', path('nowhere'));
  const nowhere = flamegate('status');

  assert.equal(broken.status, 4);
  assert.match(broken.stderr, /^flamegate: COLLAPSED_INVALID: .*broken\.collapsed: line 2: no sample count/);
  assert.equal(missing.status, 4);
  assert.match(missing.stderr, /^flamegate: RECORDING_INVALID: .*index\.json/);
  assert.equal(unreachable.status, 4);
  assert.match(unreachable.stderr, /^flamegate: FILE_UNREADABLE: cannot load the kubeconfig/);
  assert.equal(nowhere.status, 4);
  assert.match(nowhere.stderr, /^flamegate: FILE_UNREADABLE: there is no kubeconfig: no --kubeconfig, /);
});

test('a wrong command line exits with 2', () => {
  const { status, stderr } = flamegate('explode');

  assert.equal(status, 2);
  assert.match(stderr, /there is no command "explode"\n"flamegate --help"/);
});

test('who reads only the beginning is no failure, and a full disk is one', () => {
  const printed = (into: string) =>
    spawnSync(
      'bash',
      ['-c', `set -o pipefail; "$@" completion fish ${into}`, 'bash', process.execPath, PROGRAM],
      {
        encoding: 'utf8',
      },
    );

  const read = printed('| true');
  const full = printed('> /dev/full');

  assert.deepEqual([read.status, read.stderr], [0, '']);
  assert.equal(full.status, 4);
  assert.match(full.stderr, /^flamegate: FILE_UNWRITABLE: cannot write to standard output: ENOSPC/);
});

test('what cannot be written is said before anything is recorded', () => {
  mkdirSync(path('taken'));

  for (const command of [
    ['record', '--pid', '1', '-o', path('taken')],
    ['compare', '--baseline', 'true', '--canary', 'true', '--page', path('taken')],
  ]) {
    const { status, stderr } = flamegate(...command);
    assert.equal(status, 4);
    assert.match(stderr, /^flamegate: FILE_UNWRITABLE: cannot write .*taken: it is a directory/);
  }
});

test('words of others move no cursor', () => {
  const { stderr } = flamegate('diff', 'a\u001b[2J', 'b', '--fail-on', '1%');

  assert.match(stderr, /^flamegate: FILE_UNREADABLE: cannot read a\\u\{1b\}\[2J/);
});
