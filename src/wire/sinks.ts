/** Where the install's data goes, as agents are told, and what they say became of it. Names are the settings'. */
import { httpUrl, list, record, text } from './json-fields.ts';

export interface SinkAddress {
  readonly name: string;
  readonly endpoint: string;
  /** Header X-Scope-OrgID, as Pyroscope and Mimir want it. */
  readonly tenant?: string;
  /** `file`: in the directory of credentials, a token, or "user:password". */
  readonly authorization?: { readonly kind: 'Bearer' | 'Basic'; readonly file: string };
  /** A file there with the certificates that are trusted instead of the system's. */
  readonly ca?: string;
}

export interface AgentSinks {
  readonly profiles: readonly ProfilesSink[];
  readonly metrics: readonly MetricsSink[];
}

/** Pyroscope: what has its push API. */
export interface ProfilesSink extends SinkAddress {
  readonly kind: 'Pyroscope' | 'Otlp';
}

/** Classic histograms are taken by every server, native ones by those that are told to, and say 2 % instead of a bucket. */
export interface MetricsSink extends SinkAddress {
  /** Of Prometheus, or OTLP/HTTP. */
  readonly kind: 'RemoteWrite' | 'Otlp';
  readonly histograms: 'Native' | 'Classic';
}

/** Of one sink, since the agent began. */
export interface SinkReport {
  readonly name: string;
  readonly sent: number;
  /** The other end does not want them. */
  readonly refused: number;
  /** It took too long, or there was no room to wait. */
  readonly lost: number;
  /** Why nothing goes there now, in a word; missing while it goes. */
  readonly failing?: string;
}

/** Of profiles and of metrics each. */
export const MOST_SINKS = 8;

export function parseAgentSinks(json: unknown, at: string): AgentSinks {
  const doc = record(json, at);
  const sinks = <Sink>(of: 'profiles' | 'metrics', parse: (sink: unknown, at: string) => Sink) =>
    list(doc[of] ?? [], `${at}.${of}`)
      .slice(0, MOST_SINKS)
      .map((sink, index) => parse(sink, `${at}.${of}[${index}]`));
  return { profiles: sinks('profiles', parseProfilesSink), metrics: sinks('metrics', parseMetricsSink) };
}

function parseProfilesSink(json: unknown, at: string): ProfilesSink {
  const { kind } = record(json, at);
  return { ...parseSink(json, at), kind: kind === 'Otlp' ? 'Otlp' : 'Pyroscope' };
}

function parseMetricsSink(json: unknown, at: string): MetricsSink {
  const { histograms, kind } = record(json, at);
  return {
    ...parseSink(json, at),
    kind: kind === 'Otlp' ? 'Otlp' : 'RemoteWrite',
    histograms: histograms === 'Native' ? 'Native' : 'Classic',
  };
}

function parseSink(json: unknown, at: string): SinkAddress {
  const doc = record(json, at);
  const { tenant, authorization, ca } = doc;
  return {
    name: text(doc['name'], `${at}.name`),
    endpoint: httpUrl(doc['endpoint'], `${at}.endpoint`),
    ...(tenant === undefined ? {} : { tenant: text(tenant, `${at}.tenant`) }),
    ...(authorization === undefined
      ? {}
      : { authorization: parseAuthorization(authorization, `${at}.authorization`) }),
    ...(ca === undefined ? {} : { ca: fileName(ca, `${at}.ca`) }),
  };
}

function parseAuthorization(json: unknown, at: string): NonNullable<SinkAddress['authorization']> {
  const doc = record(json, at);
  return {
    kind: doc['kind'] === 'Basic' ? 'Basic' : 'Bearer',
    file: fileName(doc['file'], `${at}.file`),
  };
}

/** Nothing that leads out of the directory. */
function fileName(value: unknown, at: string): string {
  const name = text(value, at);
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)) return name;
  throw new TypeError(`${at} is not the name of a file`);
}
