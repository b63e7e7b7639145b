/** What the install's settings may say: one file, every key with a default. docs/settings.md is made from this. */
import { type Static, Type } from '@sinclair/typebox';
import { DURATION_PATTERN, PERCENTAGE_PATTERN } from '../../crds/quantities.ts';
import { DNS_LABEL } from '../../crds/schema.ts';
import { MOST_SINKS } from '../../wire/sinks.ts';

/** Whole mebibytes or gibibytes, as Kubernetes writes them. */
const BYTES_PATTERN = '^[1-9][0-9]{0,5}(Mi|Gi)$';
/** Without user, query and fragment: a settings file is no place for secrets, and its address is logged. */
const ENDPOINT_PATTERN = '^https?://[A-Za-z0-9.:\\[\\]-]+(/[A-Za-z0-9._~/-]*)?$';

/** `expected` is what a refusal says the value must be; `between` is checked once the pattern holds. */
const duration = (between: readonly [string, string], options: { default: string; description: string }) =>
  Type.String({
    ...{ pattern: DURATION_PATTERN, maxLength: 16, quantity: 'duration', between },
    ...{ expected: `a duration from ${between[0]} to ${between[1]}, like 1h30m`, ...options },
  });

const bytes = (between: readonly [string, string], options: { default: string; description: string }) =>
  Type.String({
    ...{ pattern: BYTES_PATTERN, maxLength: 8, quantity: 'bytes', between },
    ...{ expected: `bytes from ${between[0]} to ${between[1]}, like 512Mi`, ...options },
  });

const whole = (minimum: number, maximum: number, options: { default: number; description: string }) =>
  Type.Integer({
    ...{ minimum, maximum, expected: `a whole number from ${minimum} to ${maximum}`, ...options },
  });

const endpoint = (description: string) =>
  Type.String({
    ...{ pattern: ENDPOINT_PATTERN, maxLength: 253, url: true },
    expected: 'an http or https URL without user and query',
    description,
  });

/** Host and scheme are the operator's alone: nothing is put in before the path. */
const TEMPLATE_PATTERN = "^https?://[A-Za-z0-9.:\\[\\]-]+/[A-Za-z0-9._~/?#=&%:,;!$*'()+@{}-]*$";

/** A link of pages. `holding`: what of `{…}` it must have; `filling`: what it may have, too. */
const linkTemplate = (
  { holding, filling = [] }: { readonly holding: string; readonly filling?: readonly string[] },
  description: string,
) =>
  Type.Optional(
    Type.String({
      ...{ pattern: TEMPLATE_PATTERN, maxLength: 1_024, placeholders: { holding, filling } },
      expected: `an http or https URL with {${holding}}${filling.length === 0 ? '' : `, and of ${filling.map((name) => `{${name}}`).join(', ')} what it needs`} behind the host`,
      description,
    }),
  );

const tenant = (description: string) =>
  Type.Optional(
    Type.String({
      ...{ pattern: '^[A-Za-z0-9._|-]+$', maxLength: 150 },
      expected: 'letters, digits and . _ | -, at most 150',
      description,
    }),
  );

const authorization = Type.String({
  ...{ pattern: '^(Bearer|Basic)$', maxLength: 6, default: 'Bearer' },
  expected: 'Bearer or Basic',
  description: 'What `credentials` holds: a token, or `user:password`.',
});

const credentialsFile = (description: string) =>
  Type.Optional(
    Type.String({
      ...{ pattern: '^[A-Za-z0-9_-][A-Za-z0-9._-]*$', maxLength: 63 },
      expected: 'the name of a key of a Secret',
      description,
    }),
  );

type Properties = Parameters<typeof Type.Object>[0];

const mapping = <T extends Properties>(properties: T, options: object) =>
  Type.Object(properties, {
    additionalProperties: false,
    expected: 'a mapping of keys to values ({} for none)',
    ...options,
  });

const section = <T extends Properties>(properties: T, description: string, options: object = {}) =>
  mapping(properties, { default: {}, description, ...options });

/** Names are what policies and gates choose sinks by. */
const sinkName = Type.String({
  ...{ pattern: DNS_LABEL, maxLength: 63 },
  expected: 'a name of lower-case letters, digits and -, at most 63',
  description: 'What objects call it.',
});

/** One of a list; `secret`: that in whose namespace what sends there runs. */
const destination = <T extends Properties>(
  secret: string,
  endpointText: string,
  more: T,
  options: object = {},
) =>
  mapping(
    {
      name: sinkName,
      endpoint: endpoint(endpointText),
      tenant: tenant('Header `X-Scope-OrgID`.'),
      authorization,
      credentials: credentialsFile(
        `Key of the Secret \`${secret}\` that is sent. Nothing is sent without it.`,
      ),
      ca: credentialsFile(
        'Key of that Secret with the certificates (PEM) that are trusted instead of the system’s.',
      ),
      ...more,
    },
    { expected: 'a mapping with name and endpoint', ...options },
  );

const sinkList = <T extends ReturnType<typeof mapping>>(item: T, description: string) =>
  Type.Array(item, {
    ...{ maxItems: MOST_SINKS, default: [], namedOnce: true },
    expected: `a list of at most ${MOST_SINKS}, each with a name of its own ([] for none)`,
    description,
  });

const AGENTS_SECRET = 'flamegate-agents/flamegate-credentials';
const CONTROLLER_SECRET = 'flamegate-system/flamegate-credentials';

export const SettingsFile = mapping(
  {
    rates: section(
      {
        maxFrequencyHz: whole(1, 199, {
          default: 199,
          description:
            'Samples per second and busy core, highest `cpu.frequencyHz` of a policy. Each CPU of a node ticks as often as its fastest pod.',
        }),
        maxRaisedFrequencyHz: whole(1, 199, {
          default: 199,
          description:
            'Samples per second and busy core to which a gate may raise its pods, highest `cpu.maxFrequencyHz` of a policy.',
        }),
      },
      'How often may be sampled.',
    ),
    budget: section(
      {
        maxAgentCpu: Type.String({
          ...{ pattern: PERCENTAGE_PATTERN, maxLength: 9, default: '5%' },
          expected: 'a percentage of a core from 0% to 100%, like 5%',
          description:
            'Percentage of a core that an agent may take for a gate to raise rates on its node, highest `budget.agentCpu` of a policy.',
        }),
      },
      'What profiling may cost.',
    ),
    retention: section(
      {
        store: section(
          {
            maxAge: duration(['15m', '24h'], {
              default: '1h',
              description:
                'How long the controller keeps windows. Longer than spool.maxAge is lost when another controller takes over.',
            }),
            maxBytes: bytes(['64Mi', '512Gi'], {
              default: '512Mi',
              description:
                'Size of the controller’s store, beyond which the oldest windows go. Below the size of its volume `data`. A store that is larger by now shrinks within minutes.',
            }),
          },
          'The controller’s store of windows.',
        ),
        spool: section(
          {
            maxAge: duration(['5m', '24h'], {
              default: '1h',
              description: 'How long an agent keeps what it has sent, for a controller that has lost it.',
            }),
            maxBytes: bytes(['1Mi', '16Gi'], {
              default: '128Mi',
              description:
                'Size of an agent’s spool, beyond which the oldest batches go. Below `sizeLimit` of the volume `spool` in the PodTemplate flamegate-agent, or the kubelet evicts the agent.',
            }),
          },
          'The agents’ spools.',
        ),
        reportsPerGate: whole(1, 50, {
          default: 50,
          description: 'RegressionReports that are kept of a gate, highest `reportHistoryLimit`.',
        }),
      },
      'What is kept, and for how long.',
    ),
    sinks: section(
      {
        spans: section(
          {
            endpoint: Type.Optional(
              endpoint(
                'OTLP/HTTP endpoint to which agents send spans of requests, `v1/traces` being below it, like `http://otel-collector.monitoring.svc:4318`. Nowhere without it. A NetworkPolicy of the agents has to allow it.',
              ),
            ),
          },
          'Spans of requests, for the policies that ask for them.',
        ),
        profiles: sinkList(
          destination(
            AGENTS_SECRET,
            'Pyroscope, or Grafana Cloud Profiles: `push.v1.PusherService/Push` being below it, like `http://pyroscope.monitoring.svc:4040`. Of OTLP/HTTP: `v1development/profiles` below it, like `http://otel-collector.monitoring.svc:4318`. A NetworkPolicy of the agents has to allow it.',
            {
              kind: Type.String({
                ...{ pattern: '^(Pyroscope|Otlp)$', maxLength: 9, default: 'Pyroscope' },
                expected: 'Pyroscope or Otlp',
                description:
                  'Pyroscope’s push API, or OTLP/HTTP’s profiles, which are in development: a Collector takes them with the feature gate `service.profilesSupport`.',
              }),
            },
          ),
          'Where agents send profiles of the pods whose policy names the sink in `spec.sinks`.',
        ),
        metrics: sinkList(
          destination(
            AGENTS_SECRET,
            'Prometheus’ remote write, all of its address, like `http://prometheus.monitoring.svc:9090/api/v1/write`. Of OTLP/HTTP: `v1/metrics` below it. A NetworkPolicy of the agents, and for OTLP of the controller, has to allow it.',
            {
              kind: Type.String({
                ...{ pattern: '^(RemoteWrite|Otlp)$', maxLength: 11, default: 'RemoteWrite' },
                expected: 'RemoteWrite or Otlp',
                description:
                  'Prometheus’ remote write, or OTLP/HTTP, by which the controller sends its page, too: with the key `credentials` of the Secret `flamegate-system/flamegate-credentials`.',
              }),
              histograms: Type.String({
                ...{ pattern: '^(Native|Classic)$', maxLength: 7, default: 'Classic' },
                expected: 'Native or Classic',
                description:
                  'Native ones are 2.2 % wide, and a server has to be told to take them; by OTLP they are exponential histograms. Classic ones have OpenTelemetry’s fourteen bounds.',
              }),
            },
          ),
          'Where agents write their page of metrics every half a minute, besides being scraped.',
        ),
        notifications: sinkList(
          destination(
            CONTROLLER_SECRET,
            'Of Alertmanager: `api/v2/alerts` being below it, like `http://alertmanager.monitoring.svc:9093`. Of a Webhook: all of it. A NetworkPolicy of the controller has to allow it.',
            {
              kind: Type.String({
                ...{ pattern: '^(Alertmanager|Webhook)$', maxLength: 12 },
                expected: 'Alertmanager or Webhook',
                description: 'Alerts while a canary is Regressed, or a signed message for each verdict.',
              }),
              signingKey: credentialsFile(
                'Of a Webhook: key of that Secret with what messages are signed by, `whsec_` and at least 24 bytes in base64.',
              ),
            },
            {
              signedWebhook: true,
              expected: 'a mapping with name, kind and endpoint, and of a Webhook with signingKey',
            },
          ),
          'Who is told of verdicts of the gates that name the sink in `spec.notify`.',
        ),
      },
      'Where data goes. No object of a tenant can name an address.',
      {
        sinksNamedOnce: true,
        expected: 'a mapping of keys to values ({} for none), each name once in its lists',
      },
    ),
    sources: section(
      {
        prometheus: section(
          {
            endpoint: Type.Optional(
              endpoint(
                'Prometheus’ HTTP API, `api/v1/query` being below it, like `http://prometheus.monitoring.svc:9090`, from which gates read the requests of pods. From what agents push without it. A NetworkPolicy of the controller has to allow it.',
              ),
            ),
            tenant: tenant('Header `X-Scope-OrgID` of what is asked, which Mimir and Cortex want.'),
            authorization,
            credentials: credentialsFile(
              'Key of the Secret `flamegate-system/flamegate-credentials` that is sent. Nothing is sent without it.',
            ),
            ca: credentialsFile(
              'Key of that Secret with the certificates (PEM) that are trusted instead of the system’s.',
            ),
          },
          'The install’s Prometheus, or what has its API.',
        ),
      },
      'What gates read besides what agents push. No object of a tenant can name an address.',
    ),
    links: section(
      {
        profiles: linkTemplate(
          { holding: 'query', filling: ['from', 'until', 'fromMs', 'untilMs'] },
          'Where profiles of an arm are looked at, for instance `https://pyroscope.example/?query={query}&from={from}&until={until}`. `{query}` is the profile and its labels, `process_cpu:…{namespace="shop",revision="…"}`; times are seconds, or milliseconds, since 1970. No link without it.',
        ),
        traces: linkTemplate(
          { holding: 'traceId' },
          'Where a trace is looked at, for instance `https://tempo.example/trace/{traceId}`: pages of reports have a link for slow requests whose caller’s trace is known. No link without it.',
        ),
      },
      'Where pages of reports lead. A browser asks there when somebody follows the link, not before.',
    ),
    webhooks: section(
      {
        flagger: Type.Boolean({
          ...{ default: false, expected: 'true or false' },
          description:
            'Whether Flagger’s webhooks are answered, which show no token: whoever reaches the controller’s port 8443 then learns whether a Canary’s revision on trial has Passed or Failed. A NetworkPolicy has to let Flagger in, and nobody else ([rollouts.md](rollouts.md#flagger)).',
        }),
      },
      'What is answered without a token.',
    ),
  },
  {},
);
export type SettingsFile = Static<typeof SettingsFile>;
