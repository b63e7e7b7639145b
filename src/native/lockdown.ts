/** Gives up, for good, what the agent never does (docs/adr/0029). */
import { resolve } from 'node:path';
import { loadAddon } from './addon.ts';
import { explained } from './native-failure.ts';

export interface LockdownOptions {
  readonly addonPath: string;
  /** Mode Live writes one byte into a JVM. */
  readonly liveAllowed: boolean;
  /** The attach protocol sends SIGQUIT. */
  readonly attachAllowed: boolean;
}

/**
 * Of this process, all its threads and all that they start: no system calls but those of an agent, no privileges gained,
 * no dump of its memory. Throws LOCKDOWN_FAILED where the kernel does not filter system calls.
 */
export function lockDown({ addonPath, liveAllowed, attachAllowed }: LockdownOptions): void {
  const addon = loadAddon(resolve(addonPath));
  explained(() => addon.lockDown(liveAllowed, attachAllowed));
}

/** What is refused whatever the install grants. */
export const refusedCalls = (addonPath: string): readonly string[] =>
  loadAddon(resolve(addonPath)).refusedCalls;
