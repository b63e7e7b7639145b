/** The one door to the one function that writes into a process (native/flag_byte.cc). */
import { resolve } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { loadAddon } from './addon.ts';

/** In the order of enum FlagByteResult; only with the first and the last was anything written. */
const RESULTS = ['Set', 'Unreadable', 'NotZero', 'Unwritable', 'NotKept'] as const;

export interface FlagByteOutcome {
  readonly result: (typeof RESULTS)[number];
  /** The kernel's word for what failed, empty if nothing did. */
  readonly error: string;
}

/**
 * Turns the byte of a boolean flag from 0 to 1 and reads it back; where there is anything but 0 nothing is written. The caller
 * has found out that the byte is that flag's, and that the process is still the one it asked.
 */
export function setFlagByte(addonPath: string, pid: number, address: bigint): FlagByteOutcome {
  const [result, errno] = loadAddon(resolve(addonPath)).setFlagByte(pid, address);
  return { result: RESULTS[result] ?? 'Unreadable', error: errno === 0 ? '' : getSystemErrorName(-errno) };
}
