/** The order of trust: where the names of a JVM's frames come from. Pure. */
import type { SymbolMode } from '../wire/assignment.ts';

/** What is known of the JVM's own tables. */
export type LayoutKnowledge = 'Unread' | 'Read' | 'Failed';

/**
 * VmStructs: unwound and named from the JVM's own tables; nothing is written into it.
 * PerfMap: walked by frame pointers, named by a perf map; the JVM may be asked to write one.
 * Pending: not known yet. None: walked by frame pointers, compiled code without names.
 */
export type SymbolSource = 'VmStructs' | 'PerfMap' | 'Pending' | 'None';

const YOUNG_MS = 10_000; // tables are filled in within 160 ms of exec; a starved node takes its time
const REST_MS = 60_000;

// asked for   the JVM's tables   → source
// PerfMap     –                  → PerfMap
// –           read               → VmStructs
// –           not read yet       → Pending
// Auto        failed             → PerfMap
// VmStructs   failed             → None
export function symbolSource(mode: SymbolMode, layout: LayoutKnowledge): SymbolSource {
  if (mode === 'PerfMap') return 'PerfMap';
  switch (layout) {
    case 'Read':
      return 'VmStructs';
    case 'Unread':
      return 'Pending';
    case 'Failed':
      return mode === 'Auto' ? 'PerfMap' : 'None';
  }
}

// asked for   tables     last try                → read them
// PerfMap     –          –                       → no
// –           read       –                       → no
// –           not read   –                       → yes: never tried, or it may still be starting
// –           failed     less than a minute ago  → no
// –           failed     before                  → yes: what forbade it may have been lifted
export function layoutIsDue(mode: SymbolMode, layout: LayoutKnowledge, sinceTriedMs: number): boolean {
  if (mode === 'PerfMap') return false;
  switch (layout) {
    case 'Read':
      return false;
    case 'Unread':
      return true;
    case 'Failed':
      return sinceTriedMs >= REST_MS;
  }
}

/** A failure is final for now, or the JVM is so young that it may be none. */
export function afterLayoutFailure(jvmAgeMs: number): LayoutKnowledge {
  return jvmAgeMs < YOUNG_MS ? 'Unread' : 'Failed';
}
