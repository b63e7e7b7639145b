import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildText, builtFromOf, changesUrl, parseRevision, parseSource } from './built-from.ts';

const COMMIT = '1f0e2d3a4b5c6d7e8f901a2b3c4d5e6f70819203';
const OTHER = '77f4c2d10e9a6d7e8f901a2b3c4d5e6f70819203';
const GITHUB = 'https://github.com/acme/shop';

test('pods say it by the keys that images have, or by those of OpenTelemetry', () => {
  const oci = {
    'org.opencontainers.image.revision': ` ${COMMIT}\n`,
    'org.opencontainers.image.source': `${GITHUB}/`,
  };
  const otel = {
    'resource.opentelemetry.io/vcs.ref.head.revision': COMMIT,
    'resource.opentelemetry.io/vcs.repository.url.full': GITHUB,
  };

  for (const annotations of [oci, otel]) {
    assert.deepEqual(builtFromOf([annotations, undefined]), { revision: COMMIT, source: GITHUB });
  }
  assert.deepEqual(builtFromOf([undefined, {}]), {});
});

test('where pods of one arm say different things, nothing is known', () => {
  const pod = (revision: string) => ({
    'org.opencontainers.image.revision': revision,
    'org.opencontainers.image.source': GITHUB,
  });

  assert.deepEqual(builtFromOf([pod(COMMIT), pod(OTHER)]), { source: GITHUB });
});

test('a revision is no option, no range and no command of a shell', () => {
  for (const text of [COMMIT, 'v1.4.2', 'release/2026-11', '1.0+build.7'])
    assert.equal(parseRevision(text), text);
  for (const text of [
    '',
    '--output=/etc/passwd',
    'a b',
    'a;b',
    'HEAD@{1}',
    'HEAD:secret',
    'a^',
    `a${'b'.repeat(128)}`,
  ]) {
    assert.equal(parseRevision(text), undefined, text);
  }
});

test('an address keeps nothing that opens it', () => {
  assert.equal(
    parseSource('https://ci:glpat-secret@gitlab.com/acme/shop.git?ref=x#main'),
    'https://gitlab.com/acme/shop.git',
  );
  assert.equal(parseSource('ssh://git@gitlab.com:22/acme/shop.git'), 'ssh://git@gitlab.com:22/acme/shop.git');
  assert.equal(parseSource('git@github.com:acme/shop.git'), 'git@github.com:acme/shop.git');
  for (const text of [
    '',
    'shop',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'git@host:a b',
    `https://x/${'y'.repeat(512)}`,
  ]) {
    assert.equal(parseSource(text), undefined, text);
  }
});

test('only a web address becomes a link, to what lies between the two where that is known', () => {
  const of = (source: string, revision = COMMIT) => ({ revision, source });
  const both = (source: string) => changesUrl(of(source), of(source, OTHER));

  assert.equal(both(`${GITHUB}.git`), `${GITHUB}/compare/${COMMIT}...${OTHER}`);
  assert.equal(
    both('https://gitlab.com/acme/shop'),
    `https://gitlab.com/acme/shop/-/compare/${COMMIT}...${OTHER}`,
  );
  assert.equal(both('https://git.acme.example/shop'), 'https://git.acme.example/shop');
  assert.equal(changesUrl({}, of(GITHUB)), GITHUB);
  assert.equal(changesUrl(of('https://github.com/acme/fork'), of(GITHUB, OTHER)), GITHUB);
  for (const source of [
    'http://github.com/acme/shop',
    'git@github.com:acme/shop.git',
    'javascript:alert(1)',
  ]) {
    assert.equal(both(source), undefined, source);
  }
});

test('a commit is said by its first digits, a tag as it is', () => {
  assert.equal(buildText({ revision: COMMIT, source: GITHUB }), `1f0e2d3a4b5c of ${GITHUB}`);
  assert.equal(buildText({ revision: 'v1.4.2' }), 'v1.4.2');
  assert.equal(buildText(undefined), '');
});
