/**
 * What the containers of a pod were built from, as the pod's annotations say: the keys are those that images have as labels
 * (github.com/opencontainers/image-spec, annotations.md, v1.1), or those by which OpenTelemetry's operator takes attributes of a
 * resource. Who may make pods writes them: a revision can be no option of a program, and only a web address becomes a link. Pure.
 */

export interface BuiltFrom {
  /** A commit, or a tag. */
  readonly revision?: string;
  /** Of the repository: https, http, ssh, or git@host:path. */
  readonly source?: string;
}

const REVISION_KEYS = [
  'org.opencontainers.image.revision',
  'resource.opentelemetry.io/vcs.ref.head.revision',
] as const;
const SOURCE_KEYS = [
  'org.opencontainers.image.source',
  'resource.opentelemetry.io/vcs.repository.url.full',
] as const;
export const BUILD_ANNOTATIONS: readonly string[] = [...REVISION_KEYS, ...SOURCE_KEYS];

// The bounds and patterns in the kind's schema.
export const MAX_REVISION = 128;
export const MAX_SOURCE = 512;
export const REVISION_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._/+-]*$';
export const SOURCE_PATTERN = '^(https?://|ssh://|git@)[!-~]+$';
const REVISION = new RegExp(REVISION_PATTERN);
const SCP_LIKE = /^git@[A-Za-z0-9.-]+:[A-Za-z0-9._~/-]+$/;

type Annotations = Readonly<Record<string, string>>;

/** Of pods that are one arm: what all of them that say it agree in. */
export function builtFromOf(pods: readonly (Annotations | undefined)[]): BuiltFrom {
  const revision = agreed(pods, REVISION_KEYS, parseRevision);
  const source = agreed(pods, SOURCE_KEYS, parseSource);
  return { ...(revision === undefined ? {} : { revision }), ...(source === undefined ? {} : { source }) };
}

function agreed(
  pods: readonly (Annotations | undefined)[],
  keys: readonly string[],
  parse: (text: string) => string | undefined,
): string | undefined {
  const said = pods.flatMap((annotations) => {
    const text = keys.map((key) => annotations?.[key]).find((value) => value !== undefined);
    return (text === undefined ? undefined : parse(text)) ?? [];
  });
  return new Set(said).size === 1 ? said[0] : undefined;
}

export function parseRevision(text: string): string | undefined {
  const trimmed = text.trim();
  return trimmed.length <= MAX_REVISION && REVISION.test(trimmed) ? trimmed : undefined;
}

/** Scheme, who asks, host with port, path; and what says where in it. */
const ADDRESS =
  /^(https?|ssh):\/\/(?:([A-Za-z0-9._~-]*)(?::[^/?#@]*)?@)?([A-Za-z0-9.-]+(?::\d{1,5})?)(\/[A-Za-z0-9._~%+@/-]*)?(?:[?#].*)?$/;

/** Without what opens it: an address with a token in it must not get into a report. */
export function parseSource(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed.length > MAX_SOURCE) return undefined;
  if (SCP_LIKE.test(trimmed)) return trimmed;
  const [, scheme, user = '', host, path = ''] = ADDRESS.exec(trimmed) ?? [];
  if (scheme === undefined || host === undefined) return undefined;
  const who = scheme === 'ssh' && user !== '' ? `${user}@` : ''; // of the web it may be a token
  return `${scheme}://${who}${host}${path.replace(/\/$/, '')}`;
}

const LONG_COMMIT = /^[0-9a-f]{16,64}$/;
const SHOWN_DIGITS = 12;

/** A commit by its first digits; a tag as it is. */
export const shortRevision = (revision: string): string =>
  LONG_COMMIT.test(revision) ? revision.slice(0, SHOWN_DIGITS) : revision;

/** "1f0e2d3a4b5c of https://github.com/acme/shop"; "" where nothing is known. */
export function buildText({ revision, source }: BuiltFrom = {}): string {
  const commit = revision === undefined ? [] : [shortRevision(revision)];
  return [...commit, ...(source === undefined ? [] : [`of ${source}`])].join(' ');
}

/** Where a browser shows what lies between the two; the repository, where that is not known; undefined: no web address. */
export function changesUrl(baseline: BuiltFrom = {}, canary: BuiltFrom = {}): string | undefined {
  const source = parseSource(canary.source ?? '');
  const [, host] = /^https:\/\/([^/]+)/.exec(source ?? '') ?? [];
  if (source === undefined || host === undefined) return undefined;
  const repository = source.replace(/\.git$/, '');
  const compare = COMPARED_AT.get(host);
  const [before, after] = [baseline.revision, canary.revision].map((text) => parseRevision(text ?? ''));
  const isOneRepository = baseline.source === undefined || parseSource(baseline.source) === source;
  if (compare === undefined || before === undefined || after === undefined || !isOneRepository)
    return repository;
  return `${repository}${compare}${[before, after].map(encodeURIComponent).join('...')}`;
}

const COMPARED_AT: ReadonlyMap<string, string> = new Map([
  ['github.com', '/compare/'],
  ['gitlab.com', '/-/compare/'],
]);
