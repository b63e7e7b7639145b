import { resolve } from 'node:path';
import { loadAddon } from './addon.ts';

/**
 * Gives back the pages of program code this process has mapped; what runs again comes back from the page cache. Half of what
 * Node has resident ran once, at its start. Returns how many bytes of code are mapped, 0 if that could not be read.
 */
export function releaseCodePages(addonPath: string): number {
  return loadAddon(resolve(addonPath)).releaseCodePages();
}
