/** Two profiles that a user wants compared, from files of collapsed stacks or of pprof, in samples. */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { CollapsedError, parseCollapsed } from '../profile/collapsed.ts';
import type { StackCount } from '../profile/stack-counts.ts';
import { CliError } from './cli-error.ts';
import { reasonOf } from './files.ts';
import { PprofError, type PprofProfile, parsePprof } from './pprof.ts';

export interface TwoProfiles {
  readonly baseline: readonly StackCount[];
  readonly canary: readonly StackCount[];
  /** What the counts are: "samples", or "cpu nanoseconds" where nobody says how many samples that were. */
  readonly unit: string;
}

const SAMPLES = 'samples count';
const MAX_INFLATED_BYTES = 1024 * 1024 * 1024;
const inflated = promisify(gunzip);

type FileProfile =
  | { readonly kind: 'collapsed'; readonly stacks: readonly StackCount[] }
  | { readonly kind: 'pprof'; readonly profile: PprofProfile };

/** Throws FILE_UNREADABLE, COLLAPSED_INVALID, PPROF_INVALID, and PROFILE_UNITS_DIFFER where they count different things. */
export async function readProfiles(baselinePath: string, canaryPath: string): Promise<TwoProfiles> {
  const [baseline, canary] = [await readProfile(baselinePath), await readProfile(canaryPath)];
  const type = typeOfBoth(
    { path: baselinePath, types: typesOf(baseline) },
    { path: canaryPath, types: typesOf(canary) },
  );
  const stacks = (of: FileProfile, path: string) => inFile(path, () => stacksOf(of, type));
  const both = { baseline: stacks(baseline, baselinePath), canary: stacks(canary, canaryPath) };
  return { ...both, unit: type === SAMPLES || inSamples([baseline, canary], type) ? 'samples' : type };
}

async function readProfile(path: string): Promise<FileProfile> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new CliError('FILE_UNREADABLE', `cannot read ${path}: ${reasonOf(cause)}`, cause);
  }
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = isPacked ? await inflate(path, bytes) : bytes;
  return inFile(path, () =>
    isPprof(plain)
      ? { kind: 'pprof', profile: parsePprof(plain) }
      : { kind: 'collapsed', stacks: parseCollapsed(plain.toString('utf8')) },
  );
}

async function inflate(path: string, bytes: Buffer): Promise<Buffer> {
  try {
    return await inflated(bytes, { maxOutputLength: MAX_INFLATED_BYTES });
  } catch (cause) {
    throw new PprofError(`${path}: it cannot be unpacked: ${reasonOf(cause)}`, { cause });
  }
}

/** A message has lengths and numbers below a blank, and its fields come in any order; text has line breaks and tabs alone. */
function isPprof(bytes: Buffer): boolean {
  const head = bytes.subarray(0, 4_096);
  return head.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
}

/** Errors name the file. */
function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CollapsedError)
      throw new CollapsedError(`${path}: ${error.message}`, { cause: error });
    if (error instanceof PprofError) throw new PprofError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

const typesOf = (of: FileProfile): readonly string[] =>
  of.kind === 'collapsed' ? [SAMPLES] : [of.profile.defaultType, ...of.profile.types];

/** Samples, whose noise is known; else what the baseline shows by default, if the canary has it. */
function typeOfBoth(
  baseline: { readonly path: string; readonly types: readonly string[] },
  canary: { readonly path: string; readonly types: readonly string[] },
): string {
  const type = [SAMPLES, ...baseline.types].find((one) =>
    [baseline, canary].every(({ types }) => types.includes(one)),
  );
  if (type !== undefined) return type;
  const has = ({ path, types }: typeof baseline): string =>
    `${path} counts ${[...new Set(types)].join(', ')}`;
  throw new CliError('PROFILE_UNITS_DIFFER', `${has(baseline)}; ${has(canary)}: they cannot be compared`);
}

const inSamples = (files: readonly FileProfile[], type: string): boolean =>
  files.every((of) => of.kind === 'pprof' && of.profile.period?.type === type);

function stacksOf(of: FileProfile, type: string): readonly StackCount[] {
  if (of.kind === 'collapsed') return of.stacks;
  const { period } = of.profile;
  const value = period?.type === type ? period.value : 1;
  return of.profile.stacks(type).map((stack) => ({ ...stack, count: stack.count / value }));
}
