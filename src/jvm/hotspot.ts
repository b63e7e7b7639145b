/** A running HotSpot from outside: the one place where its tables are read, and where a failure becomes a value. */

import { UnreadableMemory } from './foreign-reader.ts';
import { readLayout } from './layout.ts';
import { LayoutError, type LayoutFailure } from './layout-error.ts';
import type { ReadMemory } from './read-memory.ts';
import type { UnwindLayout } from './unwind-layout.ts';
import { readVmStructs, type VmStructs } from './vm-structs.ts';

/** Where libjvm is: addresses of its exported symbols as the file has them, and what the process adds. */
export interface LoadedLibjvm {
  readonly exports: ReadonlyMap<string, bigint>;
  readonly bias: bigint;
}

/** MemoryUnreadable: the process refuses, has ended, or a pointer of it leads nowhere. */
export type HotspotFailure = LayoutFailure | 'MemoryUnreadable';

export interface Hotspot {
  readonly structs: VmStructs;
  readonly layout: UnwindLayout;
}

export type HotspotOutcome =
  | ({ readonly kind: 'read' } & Hotspot)
  | { readonly kind: 'failed'; readonly reason: HotspotFailure; readonly message: string };

/** In about twenty reads, 0.5 to 1 MB. `libjvm` comes of readExports (VM_TABLES_PREFIX) and loadBias. */
export function readHotspot(read: ReadMemory, libjvm: LoadedLibjvm): HotspotOutcome {
  return hotspotReader(read, libjvm)();
}

/** To be asked again and again while a JVM starts: its tables, which are the larger part, are read once. */
export function hotspotReader(read: ReadMemory, libjvm: LoadedLibjvm): () => HotspotOutcome {
  let known: VmStructs | undefined;
  return () => {
    try {
      const structs = known ?? readVmStructs(read, libjvm.exports, libjvm.bias);
      known = structs;
      return { kind: 'read', structs, layout: readLayout(read, structs) };
    } catch (error) {
      // what is odd may have been read too early
      if (!(error instanceof LayoutError && error.reason === 'JvmStarting')) known = undefined;
      if (error instanceof LayoutError) return failed(error.reason, error);
      if (error instanceof UnreadableMemory) return failed('MemoryUnreadable', error);
      throw error;
    }
  };
}

function failed(reason: HotspotFailure, { message }: Error): HotspotOutcome {
  return { kind: 'failed', reason, message };
}
