import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { parse } from 'yaml';
import { parseSettings, SettingsError } from './parse-settings.ts';

const DEFAULTS = {
  limits: { maxFrequencyHz: 199, maxRaisedFrequencyHz: 199, maxAgentCpu: '5%' },
  store: { retentionMs: 3_600_000, maxBytes: 512 * 2 ** 20 },
  reportsPerGate: 50,
  prometheus: undefined,
  notifications: [],
  links: {},
  flaggerWebhooks: false,
  agents: { spool: { maxAgeMs: 3_600_000, maxBytes: 128 * 2 ** 20 } },
};
const problemOf = (text: string): string => {
  try {
    parseSettings(text, 'settings.yaml');
  } catch (error) {
    assert.ok(error instanceof SettingsError, String(error));
    assert.equal(error.code, 'SETTINGS_INVALID');
    return error.message;
  }
  return 'taken';
};

test('an empty file leaves every default, and so does what the install ships', () => {
  const manifest = fileURLToPath(new URL('../../../config/controller/settings.yaml', import.meta.url));
  const shipped: unknown = parse(readFileSync(manifest, 'utf8')).data['settings.yaml'];

  assert.deepEqual(parseSettings('', 'settings.yaml'), DEFAULTS);
  assert.deepEqual(parseSettings('# nothing yet\n', 'settings.yaml'), DEFAULTS);
  assert.deepEqual(parseSettings(String(shipped), 'settings.yaml'), DEFAULTS);
});

test('what is written counts, and the rest keeps its default', () => {
  const text = `
rates: {maxFrequencyHz: 97}
budget: {maxAgentCpu: 2.5%}
retention:
  store: {maxAge: 1h30m, maxBytes: 2Gi}
  spool:
    maxBytes: 64Mi
sinks:
  spans: {endpoint: "http://otel-collector.monitoring.svc:4318"}
`;
  assert.deepEqual(parseSettings(text, 'settings.yaml'), {
    limits: { maxFrequencyHz: 97, maxRaisedFrequencyHz: 199, maxAgentCpu: '2.5%' },
    store: { retentionMs: 5_400_000, maxBytes: 2 * 2 ** 30 },
    reportsPerGate: 50,
    prometheus: undefined,
    notifications: [],
    links: {},
    flaggerWebhooks: false,
    agents: {
      spool: { maxAgeMs: 3_600_000, maxBytes: 64 * 2 ** 20 },
      spansEndpoint: 'http://otel-collector.monitoring.svc:4318',
    },
  });
});

test('links have what they need behind a host that is the operator’s', () => {
  const links = (text: string) => problemOf(`links: ${text}`);

  const taken = parseSettings(
    'links: {profiles: "https://p:4040/?query={query}&from={from}", traces: "http://t/explore#{traceId}"}',
    'settings.yaml',
  );
  assert.deepEqual(taken.links, {
    profiles: 'https://p:4040/?query={query}&from={from}',
    traces: 'http://t/explore#{traceId}',
  });
  const refused = [
    'https://tempo/trace/',
    'https://{traceId}/trace',
    'https://tempo{traceId}/trace',
    'https://user@tempo/{traceId}',
    'javascript:alert({traceId})//',
    'https://tempo/{traceId}/{query}',
    'https://tempo/{traceId}/{',
    'https://tempo/{traceId}"onclick="x',
    '//tempo/{traceId}',
    'https://:99999/{traceId}',
  ];
  for (const url of refused) {
    assert.equal(
      links(JSON.stringify({ traces: url })),
      'settings.yaml:1: links.traces: must be an http or https URL with {traceId} behind the host',
      url,
    );
  }
  assert.match(
    links('{profiles: "https://p/?q={from}"}'),
    /links\.profiles: must be an http or https URL with \{query\}, and of \{from\}/,
  );
});

test('a wrong value is refused with its line, its key and what it must be', () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      '# one\nbudget:\n  maxAgentCpu: lots\n',
      ':3: budget.maxAgentCpu: must be a percentage of a core from 0% to 100%, like 5%',
    ],
    ['rates:\n\n  maxFrequencyHz: 200\n', ':3: rates.maxFrequencyHz: must be a whole number from 1 to 199'],
    ['rates: {maxFrequencyHz: "97"}', ':1: rates.maxFrequencyHz: must be a whole number from 1 to 199'],
    ['rates: {maxFrequencyHz: 0x60f}', ':1: rates.maxFrequencyHz: must be a whole number from 1 to 199'],
    [
      'retention: {store: {maxAge: 5m}}',
      ':1: retention.store.maxAge: must be a duration from 15m to 24h, like 1h30m',
    ],
    [
      'retention: {store: {maxAge: 90}}',
      ':1: retention.store.maxAge: must be a duration from 15m to 24h, like 1h30m',
    ],
    [
      'retention:\n  spool:\n    maxBytes: 1T',
      ':3: retention.spool.maxBytes: must be bytes from 1Mi to 16Gi, like 512Mi',
    ],
    [
      'retention:\n  spool:\n    maxBytes: 17Gi',
      ':3: retention.spool.maxBytes: must be bytes from 1Mi to 16Gi, like 512Mi',
    ],
    ['sinks:\n', ':1: sinks: must be a mapping of keys to values ({} for none), each name once in its lists'],
    ['rates:\n', ':1: rates: must be a mapping of keys to values ({} for none)'],
    ['- a\n- b\n', ':1: the file: must be a mapping of keys to values ({} for none)'],
    ['just words', ':1: the file: must be a mapping of keys to values ({} for none)'],
  ];
  for (const [text, expected] of cases) assert.equal(problemOf(text), `settings.yaml${expected}`);
});

test('an address of a sink is one of HTTP without secrets, and a refusal does not repeat it', () => {
  const wrong = [
    ...[
      'file:///etc/shadow',
      'collector:4318',
      'http://',
      'http://user:secret@collector:4318',
      'https://a/?key=secret',
    ],
    ...['http://a b', 'http://[::1', 'http://a:99999', 'gopher://a', 'http://a\\nb'],
  ];
  for (const endpoint of wrong) {
    const problem = problemOf(`sinks: {spans: {endpoint: ${JSON.stringify(endpoint)}}}`);
    assert.equal(
      problem,
      'settings.yaml:1: sinks.spans.endpoint: must be an http or https URL without user and query',
    );
  }
  for (const endpoint of ['http://10.0.0.1:4318', 'https://[fd00::1]:4318/otlp', 'https://a.example/otlp/v1'])
    assert.equal(problemOf(`sinks: {spans: {endpoint: "${endpoint}"}}`), 'taken');
});

test('a Prometheus is named with an address, files of credentials, and nothing else', () => {
  const endpoint = 'https://mimir.example/prometheus';
  const of = (more: string) =>
    parseSettings(`sources: {prometheus: {endpoint: "${endpoint}", ${more}}}`, 'settings.yaml').prometheus;

  assert.deepEqual(of(''), { endpoint });
  assert.deepEqual(of('tenant: a|b, credentials: token, ca: ca.crt'), {
    ...{ endpoint, tenant: 'a|b', ca: 'ca.crt' },
    authorization: { kind: 'Bearer', file: 'token' },
  });
  assert.deepEqual(of('authorization: Basic, credentials: user')?.authorization, {
    kind: 'Basic',
    file: 'user',
  });
  assert.equal(parseSettings('sources: {prometheus: {tenant: a}}', 'settings.yaml').prometheus, undefined);
  for (const [wrong, says] of [
    ['endpoint: "http://me:secret@a/"', 'endpoint: must be an http or https URL without user and query'],
    ['credentials: ../token', 'credentials: must be the name of a key of a Secret'],
    ['ca: /etc/passwd', 'ca: must be the name of a key of a Secret'],
    ['authorization: Digest', 'authorization: must be Bearer or Basic'],
    ['tenant: "a\\r\\nb: c"', 'tenant: must be letters, digits and . _ | -, at most 150'],
  ] as const) {
    assert.equal(
      problemOf(`sources: {prometheus: {${wrong}}}`),
      `settings.yaml:1: sources.prometheus.${says}`,
    );
  }
});

test('keys that are not known are refused, wherever they are', () => {
  assert.equal(
    problemOf('budget:\n  maxAgentCPU: 5%\n'),
    'settings.yaml:2: budget.maxAgentCPU: unknown key, known here are maxAgentCpu',
  );
  assert.match(
    problemOf('rates: {}\nlimits: {}\n'),
    /^settings\.yaml:2: limits: unknown key, known here are rates/,
  );
  assert.match(problemOf('__proto__: {polluted: true}\n'), /^settings\.yaml:1: __proto__: unknown key/);
  assert.equal(Object(Object.prototype).polluted, undefined);
});

test('all that is wrong is said, in the order of the lines, as far as a log line goes', () => {
  const problem = problemOf('zebra: 1\nrates: {maxFrequencyHz: 0}\nbudget: {maxAgentCpu: 5}\n');
  assert.deepEqual(
    problem.split('; ').map((each) => each.slice(0, 15)),
    ['settings.yaml:1', 'settings.yaml:2', 'settings.yaml:3'],
  );

  const many = problemOf(Array.from({ length: 40 }, (_, at) => `key${at}: 1\n`).join(''));
  assert.match(many, /; and 35 more$/);
});

test('keys that are there twice are refused with the line of the second', () => {
  assert.equal(
    problemOf('rates: {}\nbudget: {maxAgentCpu: 1%}\nbudget: {maxAgentCpu: 50%}\n'),
    'settings.yaml:3: the key is there twice',
  );
});

test('hostile files end with a refusal: bombs of aliases, a megabyte, a thousand brackets, other documents, tags', () => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
    .concat(
      'bcdefghij'.split('').map((key, at) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghij'[at]}`)}]`),
    )
    .join('\n');
  const cases: readonly (readonly [string, RegExp])[] = [
    [bomb, /^settings\.yaml:1: anchors and aliases are not taken; /],
    [
      'rates: &r {maxFrequencyHz: 97}\nbudget: *r\n',
      /:1: anchors and aliases are not taken; settings\.yaml:2: anchors/,
    ],
    [`# ${'x'.repeat(1 << 20)}`, /^settings\.yaml:1: the file is larger than 65536 bytes$/],
    ['['.repeat(60_000), /^settings\.yaml:1: /],
    [`${'{a: '.repeat(10_000)}1${'}'.repeat(10_000)}`, /^settings\.yaml:1: /],
    ['rates: {}\n---\nrates: {}\n', /^settings\.yaml:2: not readable as YAML: /],
    ['rates: !!js/function "function () {}"\n', /^settings\.yaml:1: /],
    ['rates: {maxFrequencyHz: 97\n', /^settings\.yaml:\d: not readable as YAML: /],
    ['rates:\n\t- x\n', /^settings\.yaml:2: not readable as YAML: /],
    ['\u0000\u0001\u0002', /^settings\.yaml:1: /],
    ['? {a: b}\n: c\n', /^settings\.yaml:1: /],
  ];
  for (const [text, expected] of cases) assert.match(problemOf(text), expected, text.slice(0, 40));
});

test('any text is either taken or refused with a line', () => {
  const piece = fc.constantFrom(
    ...[
      'rates',
      'budget',
      ':',
      ' ',
      '\n',
      '  ',
      '{',
      '}',
      '[',
      ']',
      '&a',
      '*a',
      '!!',
      '"',
      "'",
      '#',
      '|',
      '>',
      '-',
      '5%',
      '\t',
    ],
  );
  const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));

  fc.assert(
    fc.property(text, (anything) => {
      assert.match(problemOf(anything), /^taken$|^settings\.yaml:[1-9]\d*: /);
    }),
    { seed: 20260103, numRuns: 1_000 },
  );
});

test('sinks have names, each its own, and agents are told where they are and not what opens them', () => {
  const text = `
sinks:
  profiles:
    - {name: pyroscope, endpoint: "http://pyroscope:4040"}
    - {name: cloud, endpoint: "https://profiles.example", authorization: Basic, credentials: pyroscope, ca: own-ca.crt}
`;
  assert.deepEqual(parseSettings(text, 'settings.yaml').agents.sinks, {
    profiles: [
      { name: 'pyroscope', endpoint: 'http://pyroscope:4040', kind: 'Pyroscope' },
      {
        ...{ name: 'cloud', endpoint: 'https://profiles.example', ca: 'own-ca.crt', kind: 'Pyroscope' },
        authorization: { kind: 'Basic', file: 'pyroscope' },
      },
    ],
    metrics: [],
  });
  const twice = '{name: a, endpoint: "http://a"}, {name: a, endpoint: "http://b"}';
  assert.equal(
    problemOf(`sinks: {profiles: [${twice}]}`),
    'settings.yaml:1: sinks.profiles: must be a list of at most 8, each with a name of its own ([] for none)',
  );
  assert.equal(
    problemOf('sinks:\n  profiles:\n    - name: a\n      endpoint: a:1'),
    'settings.yaml:2: sinks.profiles.0.endpoint: must be an http or https URL without user and query',
  );
  assert.match(problemOf('sinks: {profiles: [{name: a}]}'), /sinks\.profiles\.0: must be/);
});

test('a webhook without a key to sign by is refused', () => {
  const webhook = '{name: ci, kind: Webhook, endpoint: "https://ci.example/hook", signingKey: ci-key}';
  const { notifications } = parseSettings(`sinks: {notifications: [${webhook}]}`, 'settings.yaml');
  assert.deepEqual(notifications, [
    { kind: 'Webhook', address: { name: 'ci', endpoint: 'https://ci.example/hook' }, signingKey: 'ci-key' },
  ]);
  assert.equal(
    problemOf('sinks: {notifications: [{name: ci, kind: Webhook, endpoint: "https://ci.example"}]}'),
    'settings.yaml:1: sinks.notifications.0: must be a mapping with name, kind and endpoint, and of a Webhook with signingKey',
  );
});

test('metrics go where remote write is taken, and no name is in two lists', () => {
  const metrics =
    '[{name: mimir, endpoint: "https://mimir.example/api/v1/push", tenant: team-a, histograms: Native}]';
  assert.deepEqual(parseSettings(`sinks: {metrics: ${metrics}}`, 'settings.yaml').agents.sinks, {
    profiles: [],
    metrics: [
      {
        ...{ name: 'mimir', endpoint: 'https://mimir.example/api/v1/push' },
        ...{ tenant: 'team-a', kind: 'RemoteWrite', histograms: 'Native' },
      },
    ],
  });
  assert.equal(
    problemOf(`sinks: {metrics: ${metrics}, profiles: [{name: mimir, endpoint: "https://a.example"}]}`),
    'settings.yaml:1: sinks: must be a mapping of keys to values ({} for none), each name once in its lists',
  );
});

test('a Collector takes profiles and metrics by OTLP where a sink says so', () => {
  const text = `
sinks:
  profiles:
    - {name: otel-profiles, kind: Otlp, endpoint: "http://collector:4318"}
  metrics:
    - {name: otel-metrics, kind: Otlp, endpoint: "http://collector:4318"}
`;
  const { profiles, metrics } = parseSettings(text, 'settings.yaml').agents.sinks ?? {};

  assert.deepEqual(profiles, [{ name: 'otel-profiles', kind: 'Otlp', endpoint: 'http://collector:4318' }]);
  assert.deepEqual(metrics, [
    { name: 'otel-metrics', kind: 'Otlp', histograms: 'Classic', endpoint: 'http://collector:4318' },
  ]);
  assert.equal(
    problemOf('sinks: {metrics: [{name: a, kind: OTLP, endpoint: "http://a"}]}'),
    'settings.yaml:1: sinks.metrics.0.kind: must be RemoteWrite or Otlp',
  );
});
