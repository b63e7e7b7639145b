/** Reports against real repositories, made by git in a directory of the test. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Culprit, RegressionReport } from '../../crds/regression-report.ts';
import { commitsOfReport, type Found } from './culprit-commits.ts';

interface TestRepository {
  readonly path: string;
  git(...args: readonly string[]): string;
  /** Its id. */
  commit(subject: string, files: Readonly<Record<string, string>>): string;
}

function aRepository(t: TestContext): TestRepository {
  const path = mkdtempSync(join(tmpdir(), 'flamegate-commits-'));
  t.after(() => rmSync(path, { recursive: true }));
  const author = {
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@acme.example',
    GIT_AUTHOR_DATE: '2026-11-20T10:00:00Z',
  };
  const committer = { GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@acme.example' };
  const env = {
    ...process.env,
    ...author,
    ...committer,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
  };
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-C', path, ...args], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  git('init', '--quiet', '--initial-branch=main');
  return {
    ...{ path, git },
    commit(subject, files) {
      for (const [file, text] of Object.entries(files)) {
        mkdirSync(dirname(join(path, file)), { recursive: true });
        writeFileSync(join(path, file), text);
      }
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '-m', subject);
      return git('rev-parse', 'HEAD');
    },
  };
}

const aCulprit = (fields: Partial<Culprit>): Culprit => ({
  ...{ function: 'shop.Codec.encode', file: 'Codec.kt', line: 5, kind: 'Grown', stack: [] },
  ...{ baseline: '1%', canary: '9%', delta: '+8%', interval: ['+6%', '+10%'], shareOfDelta: '90%' },
  ...fields,
});

function aReport(
  baseline: string,
  canary: string,
  ...culprits: readonly Partial<Culprit>[]
): RegressionReport {
  return {
    ...{ apiVersion: 'flamegate.dev/v1alpha1', kind: 'RegressionReport' },
    metadata: {
      ...{ name: 'orders-1', namespace: 'shop', uid: 'u', generation: 1, resourceVersion: '1' },
      creationTimestamp: '2026-01-02T03:00:00Z',
    },
    spec: {
      ...{ gate: 'orders', gateGeneration: 1, baselineHash: '7c9d', canaryHash: '85bf', attempt: 1 },
      images: { baseline: [], canary: [] },
      builtFrom: { baseline: { revision: baseline }, canary: { revision: canary } },
    },
    status: { verdict: 'Failed', culprits: culprits.map(aCulprit) },
  };
}

const inClone = ({ path }: TestRepository) => ({ path, baseline: undefined, canary: undefined });

async function foundIn(repository: TestRepository, report: RegressionReport): Promise<readonly Found[]> {
  return (await commitsOfReport(report, inClone(repository))).culprits.map(({ found }) => found);
}

/** `Changed path:first-last subject, subject` */
function asText(found: Found | undefined): string {
  if (found === undefined) return '';
  const caller = found.kind === 'CallerChanged' ? ` ${found.caller}` : '';
  if (!('touched' in found)) return found.kind;
  const { path, lines, commits, hasMore } = found.touched;
  const subjects = commits.map(({ subject }) => subject).join(', ');
  return `${found.kind}${caller} ${path}${lines === undefined ? '' : `:${lines.join('-')}`} ${subjects}${hasMore ? ' …' : ''}`;
}

const CODEC = 'src/main/kotlin/shop/Codec.kt';
const codec = (body: string, last = 'done') => `package shop

class Codec {
    fun encode(order: Order): String {
        ${body}
    }

    fun last() = "${last}"
}
`;

test('the commit that touched the lines of the function is named, and no other of its file', async (t) => {
  const repository = aRepository(t);
  const baseline = repository.commit('Begin', { [CODEC]: codec('return once(order)') });
  repository.commit('Say that it is over', { [CODEC]: codec('return once(order)', 'over') });
  const guilty = repository.commit('Encode twice', {
    [CODEC]: codec('return once(order) + once(order)', 'over'),
  });
  const canary = repository.commit('Describe it', { 'README.md': 'A shop.\n' });

  const said = await commitsOfReport(aReport(baseline, canary, {}), inClone(repository));

  assert.deepEqual(said, {
    ...{ repository: repository.path, baseline, canary, commits: 3 },
    culprits: [
      {
        function: 'shop.Codec.encode',
        found: {
          kind: 'Changed',
          touched: {
            ...{ path: CODEC, lines: [4, 6], hasMore: false },
            commits: [{ id: guilty, date: '2026-11-20', author: 'Ada', subject: 'Encode twice' }],
          },
        },
      },
    ],
  });
});

test('lines that only stayed are not the cause: then the nearest caller that changed is named, or the rest of the file', async (t) => {
  const repository = aRepository(t);
  const orders = (times: number) =>
    `package shop\n\nfun find() {\n    repeat(${times}) { Codec().encode(it) }\n}\n`;
  const ORDERS = 'src/main/kotlin/shop/Orders.kt';
  const baseline = repository.commit('Begin', { [CODEC]: codec('return once(order)'), [ORDERS]: orders(1) });
  const middle = repository.commit('Say that it is over', { [CODEC]: codec('return once(order)', 'over') });
  const canary = repository.commit('Ask a hundred times', { [ORDERS]: orders(100) });
  const stack = [
    ...[
      'java.lang.String.concat (String.java:9)',
      'shop.Codec.encode (Codec.kt:5)',
      'shop.Codec.encode (Codec.kt:5)',
    ],
    ...['kotlinx.coroutines.Pool.run (Pool.kt:1)', 'shop.OrdersKt.find (Orders.kt:4)', 'shop.Main.main'],
  ];
  const library = { function: 'java.lang.String.concat', file: 'String.java', line: 9 };

  assert.deepEqual(
    (await foundIn(repository, aReport(baseline, canary, { stack }, { ...library, stack }))).map(asText),
    [
      `CallerChanged shop.OrdersKt.find ${ORDERS}:3-5 Ask a hundred times`,
      `CallerChanged shop.OrdersKt.find ${ORDERS}:3-5 Ask a hundred times`,
    ],
  );
  assert.deepEqual(
    (await foundIn(repository, aReport(baseline, middle, { stack }, { ...library, stack }))).map(asText),
    [`FileChanged ${CODEC} Say that it is over`, 'NotInRepository'],
  );
  assert.deepEqual((await foundIn(repository, aReport(middle, canary, {}))).map(asText), ['Unchanged']);
});

test('of files of one name the one of the package counts, tests do not, and what is left is said', async (t) => {
  const repository = aRepository(t);
  const other = codec('return 1').replace('package shop', 'package shop.legacy');
  const baseline = repository.commit('Begin', {
    ...{ 'a/Codec.kt': other, 'b/src/main/kotlin/Codec.kt': codec('return 1') },
    'b/src/test/kotlin/shop/Codec.kt': codec('return 1'),
  });
  const canary = repository.commit('Change all', {
    ...{ 'a/Codec.kt': other.replace('1', '2'), 'b/src/main/kotlin/Codec.kt': codec('return 2') },
    'b/src/test/kotlin/shop/Codec.kt': codec('return 2'),
  });

  const found = await foundIn(repository, aReport(baseline, canary, {}));
  assert.deepEqual(found.map(asText), ['Changed b/src/main/kotlin/Codec.kt:4-6 Change all']);

  const copied = repository.commit('Copy it', { 'c/Codec.kt': codec('return 2') });
  assert.deepEqual(await foundIn(repository, aReport(baseline, copied, {})), [
    { kind: 'Ambiguous', paths: ['b/src/main/kotlin/Codec.kt', 'c/Codec.kt'] },
  ]);
});

test('many commits are cut, from a folder of the clone and by tags as well', async (t) => {
  const repository = aRepository(t);
  repository.commit('0', { [CODEC]: codec('return 0') });
  repository.git('tag', 'v1.0.0');
  for (let nth = 1; nth <= 7; nth++) repository.commit(String(nth), { [CODEC]: codec(`return ${nth}`) });
  repository.git('tag', '-a', '-m', 'release', 'v1.1.0');

  const report = aReport('unknown', 'unknown', {});
  const path = join(repository.path, 'src/main');
  const said = await commitsOfReport(report, { path, baseline: 'v1.0.0', canary: 'v1.1.0' });

  assert.equal(asText(said.culprits[0]?.found), `Changed ${CODEC}:4-6 7, 6, 5, 4, 3 …`);
});

test('builds are named by whatever git understands as one commit', async (t) => {
  const repository = aRepository(t);
  for (let nth = 0; nth <= 4; nth++) repository.commit(`Step ${nth}`, { [CODEC]: codec(`return ${nth}`) });
  repository.git('tag', '-a', '-m', 'release', 'v1', 'HEAD~3');
  repository.git('branch', 'feature/two', 'HEAD~2');
  const idOf = (revision: string) => repository.git('rev-parse', `${revision}^{commit}`);
  const ask = (baseline: string, canary: string) =>
    commitsOfReport(aReport('unknown', 'unknown', {}), { path: repository.path, baseline, canary });

  for (const [named, commit] of [
    ['HEAD~4', 'HEAD~4'],
    ['v1^', 'HEAD~4'],
    ['v1', 'HEAD~3'],
    ['feature/two', 'HEAD~2'],
    [':/Step 2', 'HEAD~2'],
    ['@{1}', 'HEAD~1'],
    [idOf('HEAD~1').slice(0, 9), 'HEAD~1'],
  ] as const) {
    const { baseline, canary } = await ask(named, 'HEAD');
    assert.deepEqual({ baseline, canary }, { baseline: idOf(commit), canary: idOf('HEAD') }, named);
  }
  for (const none of [
    'HEAD~9',
    'HEAD~2..HEAD',
    '^HEAD',
    'HEAD^{tree}',
    `HEAD:${CODEC}`,
    '--all',
    '--git-dir',
  ]) {
    await assert.rejects(ask('HEAD~1', none), { code: 'REVISION_UNKNOWN' }, none);
  }
});

test('a canary that is older than the baseline, or the same, has no commits of its own', async (t) => {
  const repository = aRepository(t);
  const older = repository.commit('Begin', { [CODEC]: codec('return 1') });
  const newer = repository.commit('Change', { [CODEC]: codec('return 2') });

  for (const canary of [older, newer]) {
    const { commits, culprits } = await commitsOfReport(aReport(newer, canary, {}), inClone(repository));
    assert.deepEqual({ commits, culprits }, { commits: 0, culprits: [] });
  }
});

test('what cannot be answered says why and what to do', async (t) => {
  const repository = aRepository(t);
  const baseline = repository.commit('Begin', { [CODEC]: codec('return 1') });
  repository.commit('Go on', { [CODEC]: codec('return 2') });
  const canary = repository.commit('Change', { [CODEC]: codec('return 3') });
  const shallow = join(repository.path, 'shallow');
  repository.git('clone', '--quiet', '--depth=1', `file://${repository.path}`, shallow);
  execFileSync('git', ['-C', shallow, 'fetch', '--quiet', '--depth=1', 'origin', baseline]);
  const report = aReport(baseline, canary, {});
  const ask = (path: string, of = report) =>
    commitsOfReport(of, { path, baseline: undefined, canary: undefined });
  const silent = { ...report, spec: { ...report.spec, builtFrom: { canary: { revision: canary } } } };

  await assert.rejects(ask(join(repository.path, 'nowhere')), { code: 'REPOSITORY_INVALID' });
  await assert.rejects(ask(tmpdir()), { code: 'REPOSITORY_INVALID' });
  await assert.rejects(ask(repository.path, aReport(baseline, 'f'.repeat(40))), {
    code: 'REVISION_UNKNOWN',
    message: /no commit ffffffffffff, which the canary was built from: git fetch/,
  });
  await assert.rejects(ask(repository.path, silent), {
    code: 'REVISION_MISSING',
    message: /--baseline COMMIT/,
  });
  await assert.rejects(ask(shallow), { code: 'HISTORY_SHALLOW', message: /git fetch --unshallow/ });
});

test('nothing that a clone is configured with is run', async (t) => {
  const repository = aRepository(t);
  const baseline = repository.commit('Begin', {
    [CODEC]: codec('return 1'),
    '.gitattributes': '*.kt diff=evil\n',
  });
  const canary = repository.commit('Change', { [CODEC]: codec('return 2') });
  const ran = join(repository.path, 'ran');
  for (const setting of [
    'core.fsmonitor',
    'core.pager',
    'diff.external',
    'diff.evil.command',
    'diff.evil.textconv',
    'gpg.program',
  ]) {
    repository.git('config', setting, `touch ${ran};`);
  }
  repository.git('config', 'log.showSignature', 'true');

  const found = await foundIn(repository, aReport(baseline, canary, {}));

  assert.deepEqual(found.map(asText), [`Changed ${CODEC}:4-6 Change`]);
  assert.throws(() => readFileSync(ran), { code: 'ENOENT' });
});

test('the commit that makes the codec of the sample slow is the one that is named', async (t) => {
  const repository = aRepository(t);
  const sample = (file: string) =>
    readFileSync(new URL(`../../../samples/orders/src/main/kotlin/shop/${file}`, import.meta.url), 'utf8');
  const files = {
    'src/main/kotlin/shop/Codec.kt': sample('Codec.kt'),
    'src/main/kotlin/shop/SlowCodec.kt': sample('SlowCodec.kt'),
  };
  const lines = files['src/main/kotlin/shop/SlowCodec.kt'].split('\n');
  const line = lines.findIndex((text) => text.includes('override fun encode')) + 2;
  const quick = lines.with(line - 1, '        return quick(order)').join('\n');
  const baseline = repository.commit('Sell things', { ...files, 'src/main/kotlin/shop/SlowCodec.kt': quick });
  repository.commit('Explain the codecs', { 'README.md': 'Two codecs.\n' });
  const canary = repository.commit('Build each order as a tree first', files);

  const culprit = { function: 'shop.SlowCodec.encode', file: 'SlowCodec.kt', line };
  const [found] = await foundIn(repository, aReport(baseline, canary, culprit));

  assert.match(
    asText(found),
    /^Changed src\/main\/kotlin\/shop\/SlowCodec\.kt:\d+-\d+ Build each order as a tree first$/,
  );
});
