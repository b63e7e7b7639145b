import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { parseCommandLine } from './command-line.ts';

const words = (line: string) => line.split(' ').filter((word) => word !== '');
const CLUSTER = {
  kubeconfig: undefined,
  context: undefined,
  token: undefined,
  serviceAccount: { namespace: 'flamegate-system', name: 'flamegate-viewer' },
};

test('nothing typed is a question for help', () => {
  assert.deepEqual(parseCommandLine([]), { kind: 'help' });
  assert.deepEqual(parseCommandLine(['report', '--help']), { kind: 'help' });
});

test('each command is understood with its defaults', () => {
  assert.deepEqual(parseCommandLine(words('diff a b -o c.html')), {
    kind: 'diff',
    baseline: 'a',
    canary: 'b',
    output: 'c.html',
    title: undefined,
    raw: false,
    failOn: undefined,
  });
  assert.deepEqual(parseCommandLine(words('report shop/orders-1')), {
    kind: 'report',
    format: 'text',
    report: { namespace: 'shop', name: 'orders-1' },
    output: undefined,
    raw: false,
    slow: undefined,
    route: undefined,
    clone: undefined,
    cluster: CLUSTER,
  });
  assert.deepEqual(
    ['report shop/orders-1 --raw', 'diff a b -o c.html --raw'].map((line) => parseCommandLine(words(line))),
    [
      {
        kind: 'report',
        format: 'text',
        report: { namespace: 'shop', name: 'orders-1' },
        output: undefined,
        raw: true,
        slow: undefined,
        route: undefined,
        clone: undefined,
        cluster: CLUSTER,
      },
      {
        kind: 'diff',
        baseline: 'a',
        canary: 'b',
        output: 'c.html',
        title: undefined,
        raw: true,
        failOn: undefined,
      },
    ],
  );
  assert.deepEqual(parseCommandLine(words('report shop/orders-1 --slow canary')), {
    kind: 'report',
    format: 'text',
    report: { namespace: 'shop', name: 'orders-1' },
    output: undefined,
    raw: false,
    slow: 'canary',
    route: undefined,
    clone: undefined,
    cluster: CLUSTER,
  });
  assert.deepEqual(parseCommandLine(words('record -n shop -l app=orders -o dir')), {
    kind: 'record',
    namespace: 'shop',
    selector: 'app=orders',
    durationMs: 3_600_000,
    intervalMs: 60_000,
    output: 'dir',
    cluster: CLUSTER,
  });
  assert.deepEqual(parseCommandLine(words('noise a b')), { kind: 'noise', recordings: ['a', 'b'] });
});

test('what is to be judged again, and how, goes by the names of a spec', () => {
  assert.deepEqual(
    parseCommandLine(words('replay a b --margin-p99 5%,1ms --margin-cpu 1% --deadline 20m -o json')),
    {
      kind: 'replay',
      source: { kind: 'recordings', directories: ['a', 'b'], arms: undefined },
      overrides: {
        latency: [{ quantile: 'p99', margin: { relative: '5%', absolute: '1ms' } }],
        cpuFunction: '1%',
        deadline: '20m',
      },
      format: 'json',
    },
  );
  const sources = [
    'replay a --baseline stable --canary next',
    'replay --gate shop/orders',
    'replay --database windows.sqlite',
    'plan a --baseline stable --placebos 50',
    'plan --gate shop/orders',
  ].map((line) => {
    const command = parseCommandLine(words(line));
    return 'source' in command ? command.source : undefined;
  });
  assert.deepEqual(sources, [
    { kind: 'recordings', directories: ['a'], arms: { baseline: 'stable', canary: 'next' } },
    { kind: 'gate', gate: { namespace: 'shop', name: 'orders' }, cluster: CLUSTER },
    { kind: 'database', file: 'windows.sqlite' },
    { kind: 'recordings', directories: ['a'], pods: 'stable', mostPlacebos: 50 },
    { kind: 'gate', gate: { namespace: 'shop', name: 'orders' }, cluster: CLUSTER },
  ]);
});

test('a gate is waited for by the hash of a canary', () => {
  const line = 'gate wait shop/orders --canary 6f7c9d5b8';
  const command = {
    ...{ kind: 'gate', gate: { namespace: 'shop', name: 'orders' }, canary: { hash: '6f7c9d5b8' } },
    ...{ baseline: undefined, timeoutMs: 3_600_000, inconclusive: 'fail', format: 'text', cluster: CLUSTER },
  };

  assert.deepEqual(parseCommandLine(words(line)), command);
  assert.deepEqual(
    parseCommandLine(words(`${line} --baseline 7d4b --timeout 90s --inconclusive pass -o json`)),
    { ...command, baseline: '7d4b', timeoutMs: 90_000, inconclusive: 'pass', format: 'json' },
  );
  assert.deepEqual(parseCommandLine(words('gate wait shop/orders --canary-of rollout/orders')), {
    ...command,
    canary: { newestOf: { kind: 'Rollout', name: 'orders' } },
  });
});

test('the account whose token is asked for by default is installed, and may get gates, no more', () => {
  const path = new URL('../../config/rbac/viewer.yaml', import.meta.url);
  const objects = parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS());
  const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);

  const [account, ...others] = ofKind('ServiceAccount');
  const { namespace, name } = account.metadata;
  assert.deepEqual({ namespace, name }, CLUSTER.serviceAccount);
  assert.deepEqual(others, []);
  assert.deepEqual(
    ofKind('ClusterRole').flatMap(({ rules }) => rules),
    [{ apiGroups: ['flamegate.dev'], resources: ['regressiongates'], verbs: ['get'] }],
  );
  assert.deepEqual(
    ofKind('ClusterRoleBinding').flatMap(({ subjects }) => subjects),
    [{ kind: 'ServiceAccount', name, namespace }],
  );
  assert.equal(objects.length, 3);
});

test('what is listed is of the context’s namespace, of one that is named, or of all; as a table unless asked otherwise', () => {
  const status = { kind: 'status', format: 'table', cluster: CLUSTER };
  assert.deepEqual(parseCommandLine(words('status')), {
    ...{ ...status, scope: { kind: 'one', namespace: undefined } },
  });
  assert.deepEqual(parseCommandLine(words('status -A -o yaml')), {
    ...{ ...status, scope: { kind: 'all' }, format: 'yaml' },
  });
  assert.deepEqual(parseCommandLine(words('gate list -n shop --output=json')), {
    ...{ kind: 'gates', scope: { kind: 'one', namespace: 'shop' }, format: 'json', cluster: CLUSTER },
  });
  assert.deepEqual(parseCommandLine(words('ui -A')), {
    ...{ kind: 'ui', namespace: undefined, port: 0, cluster: CLUSTER },
  });
});

test('a pod is recorded and looked at by its name', () => {
  const of = { pod: { namespace: 'shop', name: 'orders-7d4b-x2x' }, cluster: CLUSTER };
  assert.deepEqual(parseCommandLine(words('record --pod shop/orders-7d4b-x2x -o a.pb.gz')), {
    ...{ kind: 'podRecord', durationMs: 30_000, output: 'a.pb.gz', ...of },
  });
  assert.deepEqual(parseCommandLine(words('top --pod shop/orders-7d4b-x2x --times 2 -o json')), {
    ...{ kind: 'podTop', times: 2, format: 'json', ...of },
  });
});

test('a wrong line is a usage error that says what is right', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['explode', /there is no command "explode"/],
    ['report', /expected: flamegate report NAMESPACE\/NAME/],
    ['report orders', /"orders" is not NAMESPACE\/NAME/],
    ['report ../../etc/x', /is not NAMESPACE\/NAME/],
    ['report a/b --title x', /report takes no --title/],
    ['noise a --raw', /noise takes no --raw/],
    ['report a/b --colour', /Unknown option '--colour'/],
    ['diff a -o x', /expected: flamegate diff/],
    ['diff a b', /diff needs -o or --fail-on/],
    ['record -n a -l b=c', /record needs --namespace, --selector and -o/],
    ['record -n a -l b=c -o d --duration 1d', /--duration: "1d" is not a duration/],
    ['record -n a -l b=c -o d --interval 2h', /--interval from 10s to 30m/],
    ['noise', /expected: flamegate noise DIR/],
    ['replay', /replay needs one of DIR\.\.\., --gate/],
    ['replay a --gate b/c', /replay needs one of DIR/],
    ['replay a --baseline b', /--baseline and --canary belong together/],
    ['replay --gate b/c --baseline b --canary c', /are for recordings/],
    ['replay a --margin-p99 5', /--margin-p99: "5" is not a latency/],
    ['replay a --margin-p99 5%,6%', /--margin-p99 is a percentage, a latency or both/],
    ['replay a --margin-cpu 5ms', /--margin-cpu: "5ms" is not a percentage/],
    ['replay a --false-failure-rate 0%', /must be above 0%/],
    ['replay a --pod-variance-factor 0.5', /a number from 1 to 100/],
    ['replay a -o page.html', /--output is one of table, json, yaml/],
    ['noise a --margin-cpu 1%', /noise takes no --margin-cpu/],
    ['plan', /plan needs either DIR\.\.\. or --gate/],
    ['plan --gate a/b --margin-cpu 1%', /--margin-cpu is for recordings/],
    ['gate', /expected: flamegate gate wait NAMESPACE\/NAME --canary HASH/],
    ['gate hold a/b', /expected: flamegate gate wait/],
    ['gate wait a/b', /needs one of --canary HASH/],
    ['gate wait a/b --canary c --canary-of rollout/d', /needs one of --canary HASH/],
    ['gate wait a/b --canary-of pod/d', /--canary-of is Deployment\/NAME, StatefulSet\/NAME, Rollout\/NAME/],
    ['gate wait a --canary c', /"a" is not NAMESPACE\/NAME/],
    ['gate wait a/b --canary c/d', /--canary: "c\/d" is no hash/],
    ['gate wait a/b --canary c --baseline -', /--baseline: "-" is no hash/],
    ['gate wait a/b --canary c --timeout 1d', /--timeout: "1d" is not a duration/],
    ['gate wait a/b --canary c --timeout 26h', /--timeout may be 25h at most/],
    ['gate wait a/b --canary c --inconclusive hold', /--inconclusive is fail or pass/],
    ['gate wait a/b --canary c -o yaml', /text or json, not "yaml"/],
    ['gate wait a/b --canary c --token t', /gate wait takes no --token/],
    ['gate list a/b', /expected: flamegate gate list takes options only/],
    ['gate list -o xml', /--output is one of table, json, yaml/],
    ['status -o text', /--output is one of table, json, yaml/],
    ['status -n a -A', /--namespace or --all-namespaces, not both/],
    ['status -n a/b', /--namespace: "a\/b" is no name of a namespace/],
    ['top --pid 7 -o html', /--output is one of table, json, yaml/],
    ['top --pid 7 --context c', /top of this machine takes no --context/],
    ['top --pod a/b --pid 7', /top of a pod takes no --pid/],
    ['top --pod a/b --every 5s', /top of a pod takes no --every/],
    ['top --pod b', /"b" is not NAMESPACE\/NAME/],
    ['record --pod a/b', /record needs -o: record --pod/],
    ['record --pod a/b -o c --selector d', /record of a pod takes no --selector/],
    ['record --pod a/b -o c --duration 7h', /--duration of a pod is 1s to 6h/],
    ['completion', /expected: flamegate completion bash\|zsh\|fish/],
    ['completion tcsh', /expected: flamegate completion bash\|zsh\|fish/],
    ['ui -n a -A', /not both/],
    ['doctor --token t', /doctor takes no --token/],
    ['status --token t', /status takes no --token/],
    ['plan --gate a/b --service-account c/d', /plan takes no --service-account/],
    ['plan a --kubeconfig k', /plan of recordings takes no --kubeconfig/],
    ['replay a --context c', /replay of recordings and databases takes no --context/],
    ['record -n a -l b=c -o d --frequency 9', /record of the pods of a gate takes no --frequency/],
    ['report a/b -o json --raw', /report as json takes no --raw/],
    ['diff a b --fail-on 1% --title x', /diff without a page \(-o\) takes no --title/],
    ['plan a --placebos 0', /--placebos is a whole number/],
  ];
  for (const [line, message] of wrong) {
    assert.throws(() => parseCommandLine(words(line)), { code: 'USAGE', message }, line);
  }
});

test('a report may be json or yaml, its slow requests not', () => {
  const command = parseCommandLine(words('report shop/orders-1 -o json'));

  assert.deepEqual(
    [command.kind, 'format' in command && command.format, 'output' in command && command.output],
    ['report', 'json', undefined],
  );
  assert.throws(() => parseCommandLine(words('report shop/orders-1 --slow canary -o yaml')), {
    code: 'USAGE',
  });
});

test('the pages in a browser: a namespace is needed, any free port is the default', () => {
  assert.deepEqual(parseCommandLine(words('ui --namespace shop')), {
    ...{ kind: 'ui', namespace: 'shop', port: 0, cluster: CLUSTER },
  });
  assert.throws(() => parseCommandLine(['ui']), { code: 'USAGE', message: /ui needs a namespace/ });
  assert.throws(() => parseCommandLine(words('ui --namespace shop --port 70000')), {
    ...{ code: 'USAGE', message: /--port is 0 to 65535/ },
  });
});

test('a clone is asked for the commits of a report, between those of its builds or others', () => {
  const cloneOf = (line: string) => {
    const command = parseCommandLine(words(line));
    return command.kind === 'report' ? command.clone : undefined;
  };

  assert.deepEqual(cloneOf('report shop/orders-1 --repo .'), {
    path: '.',
    baseline: undefined,
    canary: undefined,
  });
  assert.deepEqual(cloneOf('report shop/orders-1 --repo ../shop --baseline v1.0 --canary 77f4c2d -o a.md'), {
    ...{ path: '../shop', baseline: 'v1.0', canary: '77f4c2d' },
  });
  for (const [line, message] of [
    ['report a/b --canary 77f4c2d', /--repo PATH/],
    ['report a/b --repo . -o a.html', /--repo is for text, json, yaml and markdown/],
    ['report a/b --repo . -o junit', /--repo is for/],
    ['report a/b --repo . --slow canary', /--repo is for/],
    ['report a/b --repo . --canary=--all', /--canary: "--all" is no revision of git/],
    ['report a/b --repo . --baseline=', /--baseline: "" is no revision of git/],
  ] as const) {
    assert.throws(() => parseCommandLine(words(line)), { code: 'USAGE', message }, line);
  }
});
