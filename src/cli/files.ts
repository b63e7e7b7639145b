/** Writing of a user's files, with errors that name the file. */
import { access, constants, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CliError } from './cli-error.ts';

export async function writeText(path: string, text: string): Promise<void> {
  await writeBytes(path, Buffer.from(text));
}

export async function writeBytes(path: string, bytes: Uint8Array): Promise<void> {
  await writing(path, () => writeFile(path, bytes));
}

/** Asked before hours of recording, not after them. Throws FILE_UNWRITABLE; nothing is made or changed. */
export async function checkWritable(path: string): Promise<void> {
  const may = (it: string): Promise<void> => access(it, constants.W_OK);
  await writing(path, async () => {
    await may(path).catch((error) => {
      if (error.code !== 'ENOENT') throw error;
      return may(dirname(path));
    });
    if ((await stat(path).catch(() => undefined))?.isDirectory()) throw new Error('it is a directory');
  });
}

/** Throws FILE_UNWRITABLE where `write` fails. */
export async function writing(path: string, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    throw new CliError('FILE_UNWRITABLE', `cannot write ${path}: ${reasonOf(cause)}`, cause);
  }
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
