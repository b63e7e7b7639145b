/**
 * Which commits between the builds of a report's two arms touched the lines of its culprits, from a local clone. Of a culprit:
 *
 *    its function           | its callers on the stack     | →
 *    has changed lines      | any                          | Changed: the commits that did it
 *    has none, or is not in | the nearest that has some    | CallerChanged: that caller and its commits
 *    the repository         |                              |
 *    has none               | have none, its file changed  | FileChanged
 *    has none               | have none                    | Unchanged
 *    of several files       | have none                    | Ambiguous
 *    not in the repository  | have none                    | NotInRepository
 */
import { type BuiltFrom, parseRevision } from '../../crds/built-from.ts';
import type { Culprit, RegressionReport } from '../../crds/regression-report.ts';
import { parsePlace } from '../../profile/place.ts';
import { CliError } from '../cli-error.ts';
import { functionLines, type Lines } from './function-lines.ts';
import { type Commit, commitOf, commitsIn, openRepository, type Repository } from './git.ts';
import { candidatePaths, isTestPath, packageIn, sourceName } from './source-file.ts';

export interface CommitsOfReport {
  readonly repository: string;
  /** Ids of the commits that the arms were built from. */
  readonly baseline: string;
  readonly canary: string;
  /** Commits that the canary has and the baseline has not; none where the canary is the older one, or the same. */
  readonly commits: number;
  readonly culprits: readonly CulpritCommits[];
}

export interface CulpritCommits {
  readonly function: string;
  readonly found: Found;
}

export type Found =
  | { readonly kind: 'Changed'; readonly touched: Touched }
  | { readonly kind: 'CallerChanged'; readonly caller: string; readonly touched: Touched }
  | { readonly kind: 'FileChanged'; readonly touched: Touched }
  | { readonly kind: 'Unchanged'; readonly path: string }
  | { readonly kind: 'Ambiguous'; readonly paths: readonly string[] }
  | { readonly kind: 'NotInRepository' };

export interface Touched {
  readonly path: string;
  /** At the canary's commit; absent: of the file as a whole. */
  readonly lines?: Lines;
  /** Newest first. */
  readonly commits: readonly Commit[];
  readonly hasMore: boolean;
}

export interface AskedCommits {
  readonly path: string;
  /** Instead of what the report says: any revision of git. */
  readonly baseline: string | undefined;
  readonly canary: string | undefined;
}

const MOST_COMMITS = 5; // of a function: who reads wants one
const MOST_CALLERS = 12; // of a stack, that are written in the repository
const MOST_LISTED_BYTES = 64 * 1024 * 1024; // the paths of half a million files
const MOST_SOURCE_BYTES = 2 * 1024 * 1024; // of one file: what is larger was generated

/** Throws a CliError: REVISION_MISSING, REVISION_UNKNOWN, HISTORY_SHALLOW, and those of openRepository. */
export async function commitsOfReport(
  report: RegressionReport,
  asked: AskedCommits,
): Promise<CommitsOfReport> {
  const { spec, status } = report;
  const wanted = {
    baseline: revisionOf('baseline', asked.baseline, spec.builtFrom?.baseline),
    canary: revisionOf('canary', asked.canary, spec.builtFrom?.canary),
  };
  const repository = await openRepository(asked.path);
  const baseline = await commitOf(repository, 'baseline', wanted.baseline);
  const canary = await commitOf(repository, 'canary', wanted.canary);
  await refuseShallow(repository, baseline, canary);
  const range = `${baseline}..${canary}`;
  const commits = Number((await repository.read(['rev-list', '--count', range]))?.trim() ?? Number.NaN);
  if (!Number.isSafeInteger(commits)) throw failed(repository, 'rev-list');
  const about = { repository: repository.path, baseline, canary, commits };
  if (commits === 0) return { ...about, culprits: [] };
  const source = await sourceAt(repository, canary, range);
  const culprits: CulpritCommits[] = [];
  for (const culprit of status?.culprits ?? []) {
    culprits.push({ function: culprit.function, found: await foundOf(culprit, source) });
  }
  return { ...about, culprits };
}

function revisionOf(
  arm: 'baseline' | 'canary',
  given: string | undefined,
  { revision, source }: BuiltFrom = {},
): string {
  if (given !== undefined) return given;
  if (revision === undefined) {
    throw new CliError(
      'REVISION_MISSING',
      `the report does not say what the ${arm} was built from: annotate its pods with org.opencontainers.image.revision, or give --${arm} COMMIT${source === undefined ? '' : ` of ${source}`}`,
    );
  }
  const parsed = parseRevision(revision); // a tenant's word
  if (parsed !== undefined) return parsed;
  throw new CliError('REVISION_UNKNOWN', `the ${arm}'s revision is neither a commit nor a tag`);
}

/** Where history is cut, the oldest commit there is seems to have made everything. */
async function refuseShallow(repository: Repository, baseline: string, canary: string): Promise<void> {
  if ((await repository.read(['rev-parse', '--is-shallow-repository']))?.trim() !== 'true') return;
  if ((await repository.read(['merge-base', baseline, canary])) !== undefined) return;
  throw new CliError(
    'HISTORY_SHALLOW',
    `${repository.path} is a shallow clone that does not reach from one build to the other: git fetch --unshallow`,
  );
}

const failed = ({ path }: Repository, command: string): CliError =>
  new CliError('GIT_FAILED', `git ${command} failed in ${path}: is the clone complete?`);

interface Source {
  readonly repository: Repository;
  readonly canary: string;
  readonly range: string;
  readonly paths: readonly string[];
  /** Of a path at the canary's commit; undefined: too large. */
  text(path: string): Promise<string | undefined>;
}

async function sourceAt(repository: Repository, canary: string, range: string): Promise<Source> {
  const listed = await repository.read(
    ['ls-tree', '-r', '-z', '--name-only', '--full-tree', canary],
    MOST_LISTED_BYTES,
  );
  if (listed === undefined) throw failed(repository, 'ls-tree');
  const texts = new Map<string, Promise<string | undefined>>();
  return {
    ...{ repository, canary, range, paths: listed.split('\0') },
    text(path) {
      const known = texts.get(path);
      if (known !== undefined) return known;
      const text = repository.read(['cat-file', 'blob', `${canary}:${path}`], MOST_SOURCE_BYTES);
      texts.set(path, text);
      return text;
    },
  };
}

async function foundOf(culprit: Culprit, source: Source): Promise<Found> {
  const own = await writtenIn(culprit, source);
  if (own.kind === 'File') {
    const touched = await touchedLines(own, source);
    if (touched !== undefined) return { kind: 'Changed', touched };
  }
  const fromCaller = await nearestCaller(culprit, source);
  if (fromCaller !== undefined) return fromCaller;
  if (own.kind !== 'File') return own;
  const inFile = await touchedFile(own.path, source);
  return inFile === undefined
    ? { kind: 'Unchanged', path: own.path }
    : { kind: 'FileChanged', touched: inFile };
}

interface Seen {
  readonly function: string;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}

interface InFile {
  readonly kind: 'File';
  readonly path: string;
  readonly names: readonly string[];
  readonly line: number | undefined;
}

async function writtenIn(
  { function: name, file, line }: Seen,
  source: Source,
): Promise<InFile | (Found & { readonly kind: 'Ambiguous' | 'NotInRepository' })> {
  if (file === undefined) return { kind: 'NotInRepository' };
  const { packageName, names } = sourceName(name);
  const ofPackage: string[] = [];
  for (const path of candidatePaths(source.paths, file, packageName)) {
    const text = await source.text(path);
    if (text !== undefined && packageIn(text) === packageName) ofPackage.push(path);
  }
  const ofService = ofPackage.filter((path) => !isTestPath(path));
  const [path, ...others] = ofService.length > 0 ? ofService : ofPackage;
  if (path === undefined) return { kind: 'NotInRepository' };
  return others.length === 0
    ? { kind: 'File', path, names, line }
    : { kind: 'Ambiguous', paths: [path, ...others] };
}

const WITH_PLACE = /^(.+) \(([^\s()]+)\)$/; // "shop.Codec.encode (Codec.kt:87)"

/** Of those that are written in the repository, the first on the way to the thread's beginning whose lines changed. */
async function nearestCaller(culprit: Culprit, source: Source): Promise<Found | undefined> {
  const frames = culprit.stack.map((frame): Seen => {
    const [, name = frame, place = ''] = WITH_PLACE.exec(frame) ?? [];
    const { file, line } = parsePlace(place) ?? {};
    return { function: name, file, line };
  });
  const itself = frames.findLastIndex((frame) => frame.function === culprit.function);
  const seen = new Set([culprit.function]);
  let looked = 0;
  for (const frame of frames.slice(itself + 1)) {
    if (looked === MOST_CALLERS) break;
    if (seen.has(frame.function)) continue;
    seen.add(frame.function);
    const written = await writtenIn(frame, source);
    if (written.kind !== 'File') continue;
    looked += 1;
    const touched = await touchedLines(written, source);
    if (touched !== undefined) return { kind: 'CallerChanged', caller: frame.function, touched };
  }
  return undefined;
}

async function touchedLines({ path, names, line }: InFile, source: Source): Promise<Touched | undefined> {
  const text = await source.text(path);
  const lines = text === undefined ? undefined : functionLines(text, names, line);
  if (lines === undefined) return undefined;
  const [first, last] = lines;
  const touched = await touchedBy(source, [`-L${first},${last}:${path}`, source.range]);
  return touched && { path, lines, ...touched };
}

async function touchedFile(path: string, source: Source): Promise<Touched | undefined> {
  const touched = await touchedBy(source, [source.range, '--', `:(top,literal)${path}`]);
  return touched && { path, ...touched };
}

async function touchedBy(
  { repository }: Source,
  args: readonly string[],
): Promise<Pick<Touched, 'commits' | 'hasMore'> | undefined> {
  const found = await commitsIn(repository, MOST_COMMITS + 1, args);
  if (found === undefined) throw failed(repository, 'log');
  if (found.length === 0) return undefined;
  return { commits: found.slice(0, MOST_COMMITS), hasMore: found.length > MOST_COMMITS };
}
