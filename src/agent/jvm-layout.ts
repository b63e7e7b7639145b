/** Reads how a running JVM lays out its data, from its memory and its libjvm.so. The JVM notices nothing. */
import { type HotspotFailure, type LoadedLibjvm, readHotspot } from '../jvm/hotspot.ts';
import { perfCounterAt } from '../jvm/perf-counters.ts';
import type { ExcludedBytes } from '../jvm/unsigned5.ts';
import { flatUnwindLayout } from '../jvm/unwind-layout.ts';
import { readFlags } from '../jvm/vm-flags.ts';
import { VM_TABLES_PREFIX } from '../jvm/vm-tables.ts';
import { isWritableData, loadBias, readElf } from '../symbols/elf.ts';
import { readExports } from '../symbols/elf-symbols.ts';
import type { MappedFile } from '../symbols/proc-maps.ts';
import { codeOf } from './agent-error.ts';
import { openForeignDirectory } from './foreign-directory.ts';
import { isAlive, type ProcessFacts } from './process-facts.ts';
import { openProcessMemory, readWhole } from './process-memory.ts';
import { readSuspendedCallers, type SuspendedOutcome } from './suspended-callers.ts';

/** LibjvmUnreadable: the file is gone or no library. MemoryRefused: the kernel does not let us read the process. */
export type LayoutReason = HotspotFailure | 'LibjvmUnreadable' | 'MemoryRefused';

export interface JvmLayout {
  readonly kind: 'read';
  /** As the addon takes it. */
  readonly layout: BigInt64Array;
  /** In what its line tables are coded. */
  readonly excludedBytes: ExcludedBytes;
  /** Of the flags that matter to a profiler, those that are on, whoever set them; undefined if the table is unreadable. */
  readonly flags: readonly string[] | undefined;
  /** DebugNonSafepoints was on before any code was compiled; otherwise each piece of code tells (docs/adr/0010). */
  readonly isLeafExactFromStart: boolean;
  /** Where it counts the nanoseconds that it stood still in its life; undefined if it does not. */
  readonly stopCounter: bigint | undefined;
  /** Of its coroutines. */
  readonly suspended: SuspendedOutcome;
}

export type LayoutOutcome =
  | JvmLayout
  | { readonly kind: 'failed'; readonly reason: LayoutReason; readonly message: string };

export const DEBUG_NON_SAFEPOINTS = 'DebugNonSafepoints';
/** What is asked of the layout. */
export interface LayoutAccess {
  readonly procRoot: string;
  /** Whether the suspended callers of coroutines are wanted: they cost a wake-up a sample. */
  readonly followCoroutines: boolean;
}

/** In ticks of os::elapsed_counter, which on Linux are nanoseconds; all safepoints, of which nearly all time is collectors'. */
const STOP_COUNTER = 'sun.rt.safepointTime';
const FLAGS = ['PreserveFramePointer', DEBUG_NON_SAFEPOINTS];

/** Never throws for anything the process is or does. */
export async function readJvmLayout(
  facts: ProcessFacts,
  libjvm: MappedFile,
  access: LayoutAccess,
): Promise<LayoutOutcome> {
  const loaded = await readLibjvm(facts, libjvm, access.procRoot);
  if (!loaded) return failed('LibjvmUnreadable', `${libjvm.path} cannot be read, or is no ELF library`);
  return readTables(facts, loaded, access);
}

function readTables(facts: ProcessFacts, libjvm: LoadedLibjvm, access: LayoutAccess): LayoutOutcome {
  const { procRoot, followCoroutines } = access;
  try {
    using memory = openProcessMemory(procRoot, facts.pid);
    if (!isAlive(procRoot, facts)) return failed('MemoryUnreadable', 'the process ended');
    const hotspot = readHotspot(memory.read, libjvm);
    if (hotspot.kind === 'failed') return hotspot;
    const flags = readFlags(memory.read, hotspot.structs, FLAGS);
    const on = flags && FLAGS.filter((name) => flags.get(name)?.on === true);
    const suspended: SuspendedOutcome = followCoroutines
      ? readSuspendedCallers(facts, hotspot, procRoot, memory.read)
      : { kind: 'Off' };
    const layout = flatUnwindLayout(hotspot.layout);
    const excludedBytes = hotspot.layout.get('unsigned5_excluded') === 1n ? 1 : 0;
    const given = flags?.get(DEBUG_NON_SAFEPOINTS);
    const isLeafExactFromStart = given?.on === true && given.origin !== 'DEFAULT';
    const stopCounter = perfCounterAt(memory.read, hotspot.structs, STOP_COUNTER);
    return { kind: 'read', layout, excludedBytes, flags: on, isLeafExactFromStart, stopCounter, suspended };
  } catch (error) {
    const message = `/proc/${facts.pid}/mem: ${codeOf(error)}; it takes CAP_SYS_PTRACE, and kernel.yama.ptrace_scope below 3`;
    return failed('MemoryRefused', message);
  }
}

export interface LibjvmFile extends LoadedLibjvm {
  /** Whether an address of the process lies in the library's writable data. */
  isWritableData(address: bigint): boolean;
}

/** Undefined if the file is not there any more, or is not what the process has mapped. */
export async function readLibjvm(
  { pid }: Pick<ProcessFacts, 'pid'>,
  libjvm: MappedFile,
  procRoot: string,
): Promise<LibjvmFile | undefined> {
  const path = libjvm.path.split('/').filter((each) => each !== '');
  try {
    const directory = await openForeignDirectory(`${procRoot}/${pid}/root`, path.slice(0, -1));
    const file = await directory.openFile(path.at(-1) ?? '').finally(() => directory.close());
    if (!file) return undefined;
    try {
      return exportsOf(file.fd, libjvm);
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

function exportsOf(fd: number, libjvm: MappedFile): LibjvmFile | undefined {
  const read = (offset: number, length: number) => readWhole(fd, BigInt(offset), length);
  const elf = readElf(read);
  const exports = elf && readExports(elf, read, VM_TABLES_PREFIX);
  const bias = elf && loadBias(elf, BigInt(libjvm.address), BigInt(libjvm.fileOffset));
  if (!elf || !exports || bias === undefined) return undefined;
  return { exports, bias, isWritableData: (address) => isWritableData(elf, address - bias) };
}

function failed(reason: LayoutReason, message: string): LayoutOutcome {
  return { kind: 'failed', reason, message };
}
