/** The scripts as the shells run them: what is typed, and what they make of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { COMMANDS, SHELLS } from '../command-table.ts';
import { HELP } from '../help.ts';
import { commandRows } from './completion-rows.ts';
import { completionScript } from './completion-script.ts';

const directory = mkdtempSync(join(tmpdir(), 'flamegate-completion-'));
after(() => rmSync(directory, { recursive: true }));
for (const shell of SHELLS) writeFileSync(join(directory, shell), completionScript(shell));
writeFileSync(join(directory, 'old.pb.gz'), '');

function output(program: string, args: readonly string[], input = ''): string {
  const env = { PATH: process.env['PATH'], HOME: directory, TERM: 'dumb', LC_ALL: 'C.UTF-8' };
  const { stdout, stderr, error } = spawnSync(program, args, {
    ...{ cwd: directory, encoding: 'utf8', env, input, timeout: 30_000 },
  });
  assert.equal(error, undefined);
  assert.equal(stderr, '');
  return stdout;
}

/** Bash parts a line at blanks and at `=`, as COMP_WORDBREAKS has it. */
const inBash = `
source ./bash
complete_line() {
  COMP_WORDS=()
  local word
  for word in \${1//=/ = }; do COMP_WORDS+=("$word"); done
  [[ $1 == *[=\\ ] && \${COMP_WORDS[-1]} != '=' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _flamegate
  printf '%s|' "\${COMPREPLY[@]}"
  echo
}`;

function bashCompletes(lines: readonly string[]): readonly (readonly string[])[] {
  const calls = lines.map((line) => `complete_line '${line}'`).join('\n');
  return output('bash', ['--norc', '-c', `${inBash}\n${calls}`])
    .trimEnd()
    .split('\n')
    .map((line) => line.split('|').filter((word) => word !== ''));
}

test('bash completes commands, options and values as the table has them', () => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['flamegate st', ['status']],
    ['flamegate gate ', ['list', 'wait']],
    ['flamegate gate wait --in', ['--inconclusive']],
    ['flamegate gate wait shop/orders --inconclusive ', ['fail', 'pass']],
    ['flamegate gate wait shop/orders --inconclusive=p', ['pass']],
    ['flamegate status -o ', ['table', 'json', 'yaml']],
    ['flamegate status --output=', ['table', 'json', 'yaml']],
    ['flamegate status --output y', ['yaml']],
    ['flamegate -n shop status --output y', ['yaml']],
    ['flamegate status -n status -o t', ['table']],
    ['flamegate status --all', ['--all-namespaces']],
    ['flamegate report a/b --slow ', ['baseline', 'canary']],
    ['flamegate report a/b -o ju', ['junit']],
    ['flamegate diff o', ['old.pb.gz']],
    ['flamegate diff a b -o o', ['old.pb.gz']],
    ['flamegate completion ', ['bash', 'zsh', 'fish']],
    ['flamegate top --pid ', []],
    ['flamegate record -o a -- java -', []],
    ['flamegate nothing -', []],
    ['flamegate noise --raw', []],
  ];

  const completed = bashCompletes(rows.map(([line]) => line));

  for (const [at, [line, expected]] of rows.entries()) {
    assert.deepEqual(completed[at]?.toSorted(), expected.toSorted(), line);
  }
});

test('bash offers every command, and of each every option', () => {
  const rows = commandRows();
  const completed = bashCompletes(['flamegate ', ...rows.map(({ name }) => `flamegate ${name} -`)]);

  const first = new Set(Object.keys(COMMANDS).map((name) => name.split(' ')[0]));
  assert.deepEqual(completed[0]?.toSorted(), [...first, 'help'].toSorted());
  for (const [at, { name, options }] of rows.entries()) {
    const expected = ['--help', ...options.map(({ long }) => long)].toSorted();
    assert.deepEqual(completed[at + 1]?.toSorted(), expected, name);
  }
});

test('a bash that somebody types into completes by the tabulator', () => {
  const typed = [
    'PS1=; PATH=; flamegate() { echo "ran: $*"; }; source ./bash',
    'flamegate stat\t--all\t-o js\t',
    'flamegate gate wai\tshop/orders --inconclusive=pa\t',
    'exit',
  ];
  const terminal = output(
    'script',
    ['-qec', 'bash --norc --noprofile -i', '/dev/null'],
    `${typed.join('\n')}\n`,
  );

  assert.match(terminal, /^ran: status --all-namespaces -o json\r$/m);
  assert.match(terminal, /^ran: gate wait shop\/orders --inconclusive=pass\r$/m);
});

/** Of zsh, the function with what its completion gives it; `compadd` and `_files` are told instead of drawn. */
const inZsh = `
compdef() { :; }
source ./zsh
compadd() { shift; typed=\${PREFIX:-$words[CURRENT]}; for word in "$@"; do [[ $word == "$typed"* ]] && printf '%s|' "$word"; done; }
_files() { [[ $1 == -/ ]] && printf 'DIRECTORIES|' || printf 'FILES|'; }
compset() { PREFIX=\${words[CURRENT]#*=}; }
complete_line() {
  local -a words; local PREFIX=''; local CURRENT
  words=(\${(z)1}); [[ $1 == *' ' ]] && words+=('')
  CURRENT=$#words
  _flamegate
  echo
}`;

test('zsh completes the same, from its own words', () => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['flamegate st', ['status']],
    ['flamegate gate ', ['list', 'wait']],
    ['flamegate gate wait shop/orders --inconclusive ', ['fail', 'pass']],
    ['flamegate status --output=j', ['json']],
    ['flamegate -n status status -o ', ['json', 'table', 'yaml']],
    ['flamegate status --all', ['--all-namespaces']],
    ['flamegate diff ', ['FILES']],
    ['flamegate noise ', ['DIRECTORIES']],
    ['flamegate record -o a -- java -', []],
  ];
  const calls = rows.map(([line]) => `complete_line '${line}'`).join('\n');

  const lines = output('zsh', ['-f', '-c', `${inZsh}\n${calls}`]).split('\n');

  for (const [at, [line, expected]] of rows.entries()) {
    assert.deepEqual(lines[at]?.split('|').filter(Boolean).toSorted(), expected, line);
  }
});

test('fish completes the same, as it says itself', () => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['flamegate st', ['status']],
    ['flamegate gate ', ['list', 'wait']],
    ['flamegate gate wait shop/orders --inconclusive ', ['fail', 'pass']],
    ['flamegate status --output=j', ['--output=json']],
    ['flamegate -n status status -o ', ['json', 'table', 'yaml']],
    ['flamegate status --all', ['--all-namespaces']],
    ['flamegate diff o', ['old.pb.gz']],
    ['flamegate diff a b -o o', ['old.pb.gz']],
    ['flamegate completion ', ['bash', 'fish', 'zsh']],
    ['flamegate status x', []],
  ];
  const calls = rows.map(([line]) => `complete -C '${line}'; echo ---`).join('\n');

  const answers = output('fish', ['--no-config', '-c', `source ./fish\n${calls}`]).split('---\n');

  for (const [at, [line, expected]] of rows.entries()) {
    const words = (answers[at] ?? '').split('\n').map((answer) => answer.split('\t')[0]);
    assert.deepEqual(words.filter(Boolean).toSorted(), expected, line);
  }
});

test('every command and option that is completed is explained by --help', () => {
  for (const { name, options } of commandRows()) {
    assert.ok(HELP.includes(`flamegate ${name} `), name);
    for (const { long } of options) assert.match(HELP, new RegExp(`${long}\\b`), `${name} ${long}`);
  }
});
