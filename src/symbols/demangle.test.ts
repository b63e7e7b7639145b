import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { demangled } from './demangle.ts';

const LIBJVM = '/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so';
const LARGE = { encoding: 'utf8', maxBuffer: 1 << 28 } as const;

/** c++filt shows arguments of templates, const and clones. */
function withoutDetails(name: string): string {
  const operators = name.replaceAll(/operator(?:<<=?|<=?|>>=?|>=|->\*?|>)/g, (text) =>
    text.replaceAll('<', '\u0001').replaceAll('>', '\u0002'),
  );
  let depth = 0;
  const outside = [...operators.replace(/ \[clone .*$/, '')].filter((character) => {
    if (character === '<') depth++;
    if (character === '>') depth--;
    return depth === 0 && character !== '>';
  });
  return outside
    .join('')
    .replaceAll('\u0001', '<')
    .replaceAll('\u0002', '>')
    .replace(/ const$/, '');
}

test("of libjvm's 45 000 names of C++ none is read wrong, and few are not read", () => {
  const symbols = execFileSync('nm', [LIBJVM], LARGE).match(/(?<= [tTwW] )_Z.+$/gm) ?? [];
  const filtered = execFileSync('c++filt', ['-p'], { ...LARGE, input: symbols.join('\n') }).split('\n');
  assert(symbols.length > 10_000);

  const shown = symbols.map((symbol) => demangled(symbol));

  const unread = shown.filter((name) => name.startsWith('_Z'));
  const wrong = shown.filter(
    (name, i) => !name.startsWith('_Z') && name !== withoutDetails(filtered[i] ?? ''),
  );
  assert.deepEqual(wrong, []);
  assert(unread.length < symbols.length / 100, `${unread.length} of ${symbols.length}`);
});

test('names of C stay, and parts of functions go by their function', () => {
  assert.equal(demangled('pthread_cond_wait'), 'pthread_cond_wait');
  assert.equal(demangled('inflate_fast.part.0'), 'inflate_fast');
  assert.equal(demangled('_ZN10JavaThread3runEv.cold'), 'JavaThread::run');
});

test('what cannot be read stays as it is, whatever it is', () => {
  assert.equal(demangled('_ZN'), '_ZN');
  assert.equal(demangled('_ZN99999999999x3fooE'), '_ZN99999999999x3fooE');
  assert.equal(demangled(`_ZN${'I'.repeat(500)}`), `_ZN${'I'.repeat(500)}`);
  const characters = fc.constantFrom(...'NIELXJFSTPRKOVACDZ_0123456789abcdimnt.');
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 60 }), (text) => void demangled(`_Z${text}`)),
  );
});
