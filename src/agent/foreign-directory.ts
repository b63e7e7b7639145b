/**
 * Files of a container, read from outside. The container may put links, pipes, devices or mounts in the way: each
 * component is opened by itself and links are never followed, for an absolute link would lead into our own root.
 */
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, unlink } from 'node:fs/promises';
import { codeOf } from './agent-error.ts';

const O_PATH = 0o10000000; // not among node's constants; the same on x86-64 and arm64
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = constants; // libuv adds O_CLOEXEC

export interface ForeignEntry {
  readonly kind: 'file' | 'socket' | 'other';
  readonly uid: number;
  readonly bytes: number;
  readonly inode: number;
  readonly modifiedMs: number;
}

export interface ForeignDirectory {
  /** Undefined if there is none. A link is `other`. */
  entry(name: string): Promise<ForeignEntry | undefined>;
  /** Opens a regular file to read. Undefined if there is none; throws ENOTREG for anything else. */
  openFile(name: string): Promise<FileHandle | undefined>;
  /** A path by which connect() reaches this very socket, however long its own path; valid until `close`. */
  socketPath(name: string): Promise<{ path: string; close(): Promise<void> } | undefined>;
  /** Makes an empty file. Throws EEXIST. */
  createFile(name: string, owner: { uid: number; gid: number }): Promise<void>;
  /** Not being there is fine. */
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens the directory `components` below `root`. Throws ENOENT, or ENOTDIR if a component is a link. */
export async function openForeignDirectory(
  root: string,
  components: readonly string[],
): Promise<ForeignDirectory> {
  let directory = await open(root, O_PATH | O_DIRECTORY);
  for (const component of components) {
    const parent = directory;
    try {
      directory = await open(below(parent, component), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    } finally {
      await parent.close();
    }
  }
  return foreignDirectory(directory);
}

function foreignDirectory(directory: FileHandle): ForeignDirectory {
  return {
    entry: (name) => orUndefined(async () => described(await lstat(below(directory, name)))),
    openFile: (name) => orUndefined(() => openRegular(directory, name)),
    socketPath: (name) =>
      orUndefined(async () => {
        const socket = await open(below(directory, name), O_PATH | O_NOFOLLOW);
        return { path: `/proc/self/fd/${socket.fd}`, close: () => socket.close() };
      }),
    async createFile(name, { uid, gid }) {
      const file = await open(below(directory, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        await file.chown(uid, gid);
      } catch (error) {
        if (codeOf(error) !== 'EPERM') throw error; // without CAP_CHOWN it stays root's, which a JVM accepts too
      } finally {
        await file.close();
      }
    },
    async remove(name) {
      await orUndefined(() => unlink(below(directory, name)));
    },
    close: () => directory.close(),
  };
}

/** By way of O_PATH, so that nothing but a regular file is ever opened: opening a device or a pipe has effects. */
async function openRegular(directory: FileHandle, name: string): Promise<FileHandle> {
  const seen = await open(below(directory, name), O_PATH | O_NOFOLLOW);
  try {
    if (!(await seen.stat()).isFile()) {
      throw Object.assign(new Error(`${name} is not a regular file`), { code: 'ENOTREG' });
    }
    return await open(`/proc/self/fd/${seen.fd}`, O_RDONLY);
  } finally {
    await seen.close();
  }
}

function described(stats: Awaited<ReturnType<typeof lstat>>): ForeignEntry {
  const kind = stats.isFile() ? 'file' : stats.isSocket() ? 'socket' : 'other';
  return {
    kind,
    uid: Number(stats.uid),
    bytes: Number(stats.size),
    inode: Number(stats.ino),
    modifiedMs: Number(stats.mtimeMs),
  };
}

function below(directory: FileHandle, name: string): string {
  if (name.includes('/') || name === '..') throw new Error(`"${name}" is not a name inside a directory`);
  return `/proc/self/fd/${directory.fd}/${name}`;
}

async function orUndefined<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
