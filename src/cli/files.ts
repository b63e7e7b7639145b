/** Writing of a user's files, with errors that name the file. */
import { writeFile } from 'node:fs/promises';
import { CliError } from './cli-error.ts';

export async function writeText(path: string, text: string): Promise<void> {
  await writeBytes(path, Buffer.from(text));
}

export async function writeBytes(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (cause) {
    throw new CliError('FILE_UNWRITABLE', `cannot write ${path}: ${reasonOf(cause)}`, cause);
  }
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
