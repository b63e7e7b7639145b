/**
 * Whether the one byte may be written that makes a JVM keep debug information between safepoints, from now on (docs/adr/0010).
 * HotSpot asks for DebugNonSafepoints anew at each compilation (hotspot/share/code/debugInfoRec.cpp). Pure.
 */
import type { ReadMemory } from './read-memory.ts';
import { readFlagBytes } from './vm-flags.ts';
import type { VmStructs } from './vm-structs.ts';

export const LIVE_FLAG = 'DebugNonSafepoints';

export type LiveRefusal =
  | 'FlagTableUnreadable'
  | 'FlagMissing'
  | 'FlagNotBoolean'
  | 'FlagValueOdd'
  | 'FlagSetByUser'
  | 'FlagNotInLibjvm';

export type LiveDecision =
  | { readonly kind: 'set'; readonly address: bigint }
  /** Nothing is to be done. */
  | { readonly kind: 'on'; readonly origin: string }
  | { readonly kind: 'refused'; readonly reason: LiveRefusal; readonly message: string };

const DEFAULT = 'DEFAULT';

// the flag's table             → decision
// cannot be read, or is odd    → refused FlagTableUnreadable
// does not have it             → refused FlagMissing
// has it as no boolean         → refused FlagNotBoolean
// value neither 0 nor 1        → refused FlagValueOdd
// 1                            → on
// 0, given by somebody         → refused FlagSetByUser
// 0, not in libjvm's own data  → refused FlagNotInLibjvm
// 0, the default               → set
/** `isInLibjvm`: whether an address of the process lies in the writable data of its libjvm.so. */
export function decideLive(
  read: ReadMemory,
  structs: VmStructs,
  isInLibjvm: (address: bigint) => boolean,
): LiveDecision {
  const flags = readFlagBytes(read, structs, [LIVE_FLAG]);
  if (!flags) return refused('FlagTableUnreadable', 'the table of flags cannot be read, or is odd');
  const flag = flags.get(LIVE_FLAG);
  if (!flag) return refused('FlagMissing', `the table of flags has no ${LIVE_FLAG}`);
  const { isBoolean, value, origin, address } = flag;
  if (!isBoolean) return refused('FlagNotBoolean', `${LIVE_FLAG} is said to be no boolean`);
  if (value > 1) return refused('FlagValueOdd', `${LIVE_FLAG} holds ${value}`);
  if (value === 1) return { kind: 'on', origin };
  if (origin !== DEFAULT) return refused('FlagSetByUser', `${LIVE_FLAG} is off by ${origin}`);
  if (!isInLibjvm(address)) {
    const where = `0x${address.toString(16)}`;
    return refused('FlagNotInLibjvm', `${LIVE_FLAG} is said to lie at ${where}, which is not libjvm's data`);
  }
  return { kind: 'set', address };
}

function refused(reason: LiveRefusal, message: string): LiveDecision {
  return { kind: 'refused', reason, message };
}
