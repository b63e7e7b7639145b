/** Keeps resident only the code the agent runs all the time. */
import { releaseCodePages } from '../native/code-pages.ts';

/** Windows until everything that a start needs has run: the first names, the first push, the first assignment. */
const FIRST_AFTER = 3;
/** And then each hour, for what ran meanwhile: a reconnect, a new sampler, a log of an error. */
const AGAIN_AFTER = 360;

/** To be called after each window. */
export function createCodeUpkeep(addonPath: string): () => void {
  let left = FIRST_AFTER;
  return () => {
    left -= 1;
    if (left > 0) return;
    left = AGAIN_AFTER;
    releaseCodePages(addonPath);
  };
}
