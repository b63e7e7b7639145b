/** Names of functions in libraries and programs, by what their files say. Only functions that were met are remembered. */
import { cleanName } from '../symbols/clean-name.ts';
import { demangled } from '../symbols/demangle.ts';
import { type Elf, loadBias, type ReadFileBytes, readElf } from '../symbols/elf.ts';
import { functionsAt } from '../symbols/functions-at.ts';
import type { FileRegion } from '../symbols/proc-maps.ts';
import { openForeignDirectory } from './foreign-directory.ts';
import { readWhole } from './process-memory.ts';

/** Addresses of one process in one of its mapped files. */
export interface MetNatives {
  /** Of the process, as seen from here: "/proc/7/root". */
  readonly root: string;
  readonly region: FileRegion;
  readonly addresses: ReadonlySet<number>;
}

export interface NativeNames {
  /** "JavaThread::run"; undefined if it is not known, or has no name. */
  nameAt(region: FileRegion, address: number): string | undefined;
  /** Looks up what is not known yet. Bounded in files and passes; never throws. */
  learn(met: readonly MetNatives[], nowMs: number): Promise<void>;
}

/** A function, or the room between two. */
interface KnownRange {
  readonly start: number;
  readonly end: number;
  readonly name: string | undefined;
}

/** One build of a file, in whatever containers it is. */
interface KnownFile {
  ranges: KnownRange[];
  /** When it may be passed over again. */
  dueMs: number;
  restMs: number;
}

interface LocatedFile {
  readonly file: KnownFile;
  readonly bias: number;
}

const MAX_FILES = 128; // a JVM runs code of five; a node has some dozen images
const MAX_RANGES = 1024; // 100 bytes each; a warm service runs some 200 functions of libjvm
const MAX_LOCATED = 256; // a window: a file's headers are some hundred bytes, and a pod maps a handful of files
const MAX_PASSES = 8; // a window
// A pass over libjvm's 95 000 symbols takes 36 ms of the agent's CPU. What a service runs is met in its first
// minutes: passes rest twice as long each time.
const FIRST_REST_MS = 2_000;
const LONGEST_REST_MS = 5 * 60_000;
const MAX_FUNCTION_LENGTH = 200;

export function createNativeNames(): NativeNames {
  const files = new Map<string, KnownFile>(); // by build id
  const located = new WeakMap<FileRegion, LocatedFile | undefined>(); // undefined: of no use

  const locate = (region: FileRegion, elf: Elf | undefined, nowMs: number): LocatedFile | undefined => {
    const { address, fileOffset } = region.mapped;
    const bias = elf && loadBias(elf, BigInt(address), BigInt(fileOffset));
    if (bias === undefined || elf?.buildId === undefined) return undefined;
    if (files.size >= MAX_FILES && !files.has(elf.buildId)) files.clear();
    const file = files.get(elf.buildId) ?? { ranges: [], dueMs: nowMs, restMs: FIRST_REST_MS };
    files.set(elf.buildId, file);
    return { file, bias: Number(bias) };
  };
  const open = async <T>(
    { root, region }: MetNatives,
    use: (elf: Elf | undefined, read: ReadFileBytes) => T,
  ): Promise<T> => {
    const opened = await openMapped(root, region.mapped.path);
    try {
      const read: ReadFileBytes = (offset, length) => opened && readWhole(opened.fd, BigInt(offset), length);
      return use(opened && readElf(read), read);
    } finally {
      await opened?.close();
    }
  };
  const unknownIn = ({ file, bias }: LocatedFile, addresses: ReadonlySet<number>): readonly number[] =>
    [...addresses].map((each) => each - bias).filter((each) => !rangeAt(file, each));
  const pass = async (met: MetNatives, found: LocatedFile, nowMs: number): Promise<void> => {
    const { file } = found;
    file.dueMs = nowMs + file.restMs;
    file.restMs = Math.min(LONGEST_REST_MS, 2 * file.restMs);
    await open(met, (elf, read) => {
      if (!elf) return;
      for (const { start, end, symbol } of functionsAt(elf, read, unknownIn(found, met.addresses))) {
        addRange(file, { start, end, name: symbol && shown(symbol) });
      }
    });
  };
  return {
    nameAt(region, address) {
      const known = located.get(region);
      return known && rangeAt(known.file, address - known.bias)?.name;
    },
    async learn(met, nowMs) {
      const strangers = met.filter(({ region }) => !located.has(region));
      for (const each of strangers.slice(0, MAX_LOCATED)) {
        located.set(each.region, await open(each, (elf) => locate(each.region, elf, nowMs)));
      }
      let passes = 0;
      for (const each of met) {
        const found = located.get(each.region);
        // Asked before each pass: what one pod's file tells, those of all pods with the same build know.
        if (!found || nowMs < found.file.dueMs || unknownIn(found, each.addresses).length === 0) continue;
        await pass(each, found, nowMs);
        passes += 1;
        if (passes === MAX_PASSES) return;
      }
    },
  };
}

const shown = (symbol: string): string => cleanName(demangled(symbol)).slice(0, MAX_FUNCTION_LENGTH);

/** Undefined if the file is not there any more, or is none. */
async function openMapped(root: string, path: string) {
  const parts = path.split('/').filter((each) => each !== '');
  try {
    const directory = await openForeignDirectory(root, parts.slice(0, -1));
    return await directory.openFile(parts.at(-1) ?? '').finally(() => directory.close());
  } catch {
    return undefined;
  }
}

function rangeAt({ ranges }: KnownFile, address: number): KnownRange | undefined {
  const index = firstBehind(ranges, address) - 1;
  const range = ranges[index];
  return range && address < range.end ? range : undefined;
}

function addRange(file: KnownFile, range: KnownRange): void {
  if (rangeAt(file, range.start)) return; // two addresses of one function
  if (file.ranges.length >= MAX_RANGES) file.ranges = [];
  file.ranges.splice(firstBehind(file.ranges, range.start), 0, range);
}

/** Of ranges in order of their starts, the first that begins behind the address. */
function firstBehind(ranges: readonly KnownRange[], address: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.start ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}
