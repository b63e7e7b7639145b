/** A git repository on this machine's disk, which Argo CD's repo server reads by its path. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface GitRepository {
  readonly url: string;
  /** Copies a directory of this project to the same place in there; it is committed with the next change. */
  copy(directory: string): void;
  /** Writes these files, or removes those that are undefined, and returns the revision. */
  commit(message: string, files: Readonly<Record<string, string | undefined>>): string;
}

/** Nobody's configuration but its own. */
const ENVIRONMENT = {
  ...{ GIT_AUTHOR_NAME: 'test', GIT_AUTHOR_EMAIL: 'test@example.com' },
  ...{ GIT_COMMITTER_NAME: 'test', GIT_COMMITTER_EMAIL: 'test@example.com' },
  ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
};

export function gitRepository(directory: string): GitRepository {
  mkdirSync(directory);
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', directory, ...args], {
      ...{ encoding: 'utf8', env: { ...process.env, ...ENVIRONMENT } },
    }).trim();
  git('init', '--quiet', '--initial-branch=main');
  return {
    url: `file://${directory}`,
    copy(path) {
      const from = new URL(`../../${path}`, import.meta.url).pathname;
      cpSync(from, join(directory, path), { recursive: true });
    },
    commit(message, files) {
      for (const [path, text] of Object.entries(files)) {
        const file = join(directory, path);
        mkdirSync(dirname(file), { recursive: true });
        if (text === undefined) rmSync(file);
        else writeFileSync(file, text);
      }
      git('add', '--all');
      git('commit', '--quiet', '--message', message);
      return git('rev-parse', 'HEAD');
    },
  };
}
