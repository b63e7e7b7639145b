/**
 * Reads a local clone by git, never over the network, and without what a clone's configuration could have it run: hooks of the file
 * system, external diffs, filters of text, signatures, pagers.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { shortRevision } from '../../crds/built-from.ts';
import { CliError } from '../cli-error.ts';

export interface Repository {
  /** As it was named. */
  readonly path: string;
  /** What a git command prints; undefined where it fails, or prints more than `mostBytes`. */
  read(args: readonly string[], mostBytes?: number): Promise<string | undefined>;
}

export interface Commit {
  readonly id: string;
  readonly subject: string;
  readonly author: string;
  /** YYYY-MM-DD */
  readonly date: string;
}

const run = promisify(execFile);
const MOST_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 60_000; // of one command: `log -L` over a year of a large repository takes some seconds
const QUIET = [
  '--no-pager',
  ...['core.fsmonitor=false', 'log.showSignature=false', 'log.mailmap=false', 'color.ui=false'].flatMap(
    (setting) => ['-c', setting],
  ),
];

/** Throws GIT_NOT_FOUND, REPOSITORY_INVALID. */
export async function openRepository(path: string): Promise<Repository> {
  const { PATH = '/usr/bin:/bin', HOME = '/', XDG_CONFIG_HOME } = process.env;
  const env = {
    ...{ PATH, HOME, LC_ALL: 'C' },
    ...(XDG_CONFIG_HOME === undefined ? {} : { XDG_CONFIG_HOME }),
    ...{ GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1' },
  };
  const git = async (at: string, args: readonly string[], maxBuffer = MOST_BYTES): Promise<string> => {
    const options = { env, maxBuffer, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
    return (await run('git', [...QUIET, '-C', at, ...args], options)).stdout;
  };
  let top: string;
  try {
    const up = await git(path, ['rev-parse', '--show-cdup']); // paths of `log -L` are below the folder where it runs
    top = join(path, up.trim());
  } catch (cause) {
    throw isMissing(cause)
      ? new CliError('GIT_NOT_FOUND', 'git is not on the PATH', cause)
      : new CliError('REPOSITORY_INVALID', `${path} is no git repository that you may read`, cause);
  }
  return {
    path,
    async read(args, mostBytes) {
      try {
        return await git(top, args, mostBytes);
      } catch (error) {
        if (isKilled(error)) {
          throw new CliError('GIT_TOO_SLOW', `git ${args[0]} took over a minute in ${path}`, error);
        }
        return undefined;
      }
    },
  };
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && 'code' in error && error.code === 'ENOENT';

/** By the timeout; by what it printed it is killed, too, and then has a code. */
const isKilled = (error: unknown): boolean =>
  error instanceof Error &&
  'killed' in error &&
  error.killed === true &&
  !('code' in error && error.code !== null);

/** The commit of a revision, as git understands it. Throws REVISION_UNKNOWN. */
export async function commitOf(repository: Repository, arm: string, revision: string): Promise<string> {
  const named = await objectId(repository, revision);
  const commit = named && (await objectId(repository, `${named}^{commit}`)); // of a tag what it is on; `:/text` has no room for that
  if (commit !== undefined) return commit;
  throw new CliError(
    'REVISION_UNKNOWN',
    `${repository.path} has no commit ${shortRevision(revision)}, which the ${arm} was built from: git fetch, or name another clone`,
  );
}

/** Undefined of what names none, or more than one: a range. */
async function objectId(repository: Repository, revision: string): Promise<string | undefined> {
  const said = await repository.read(['rev-parse', '--verify', '--quiet', '--end-of-options', revision]);
  const id = said?.trim() ?? '';
  return /^[0-9a-f]{40,64}$/.test(id) ? id : undefined;
}

const FIELDS = '--format=%H%x00%as%x00%an%x00%s';

/** Of `git log` with these arguments, newest first, of at most so many. Undefined where git says no. */
export async function commitsIn(
  repository: Repository,
  most: number,
  args: readonly string[],
): Promise<readonly Commit[] | undefined> {
  const text = await repository.read([
    ...['log', `--max-count=${most}`, '--no-patch', '--no-ext-diff', '--no-textconv', FIELDS],
    ...args,
  ]);
  return text
    ?.split('\n')
    .map((line) => line.split('\0'))
    .flatMap(([id = '', date, author, subject]) =>
      date === undefined || author === undefined || subject === undefined
        ? []
        : [{ id, date, author, subject }],
    );
}
