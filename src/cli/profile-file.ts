/** Profiles on disk: collapsed stacks as text, or pprof of any tool, gzipped or not. What is in the file decides, not its name. */
import { isUtf8 } from 'node:buffer';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { CollapsedError, encodeCollapsed, parseCollapsed } from '../profile/collapsed.ts';
import { decodePprof, PprofError } from '../profile/pprof-decode.ts';
import { encodePprof, type PprofFacts } from '../profile/pprof-encode.ts';
import type { StackCount } from '../profile/stack-counts.ts';
import { CliError } from './cli-error.ts';
import { readBytes, reasonOf, writeBytes } from './files.ts';

export interface ProfileFile {
  readonly stacks: readonly StackCount[];
  /** As pprof has it, "samples/count"; undefined of collapsed stacks, which do not say. */
  readonly type: string | undefined;
}

const MAX_FILE_BYTES = 256 * 1024 * 1024;
const MAX_INFLATED_BYTES = 1024 * 1024 * 1024;
const IS_COLLAPSED = /\.(collapsed|folded|txt)$/;

/** Throws a CliError, or a CollapsedError or PprofError, that names the file. */
export async function readProfile(path: string): Promise<ProfileFile> {
  const { size } = await stat(path).catch(() => ({ size: 0 })); // reading says why
  if (size > MAX_FILE_BYTES) {
    throw new CliError('FILE_UNREADABLE', `${path}: ${size} bytes, the most is ${MAX_FILE_BYTES}`);
  }
  const bytes = await inflated(path, await readBytes(path));
  try {
    if (isText(bytes)) return { stacks: parseCollapsed(bytes.toString('utf8')), type: undefined };
    return decodePprof(bytes);
  } catch (error) {
    if (error instanceof CollapsedError)
      throw new CollapsedError(`${path}: ${error.message}`, { cause: error });
    if (error instanceof PprofError) throw new PprofError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** By the end of its name: collapsed stacks (.collapsed, .folded, .txt), else gzipped pprof. */
export async function writeProfile(
  path: string,
  stacks: readonly StackCount[],
  facts: PprofFacts,
): Promise<void> {
  if (IS_COLLAPSED.test(path)) await writeBytes(path, Buffer.from(encodeCollapsed(stacks)));
  else await writeBytes(path, await promisify(gzip)(encodePprof(stacks, facts)));
}

async function inflated(path: string, bytes: Buffer): Promise<Buffer> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MAX_INFLATED_BYTES });
  } catch (cause) {
    throw new CliError('FILE_UNREADABLE', `${path} is gzipped, and broken or cut: ${reasonOf(cause)}`, cause);
  }
}

/** A protobuf message has lengths and numbers below a blank, NUL most of all; text has line breaks and tabs alone. */
function isText(bytes: Buffer): boolean {
  const head = bytes.subarray(0, 4_096);
  return (
    isUtf8(bytes) && !head.some((byte) => byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)
  );
}
