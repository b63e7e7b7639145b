/** What a reader searches for, over the names of whichever tree is shown. */
import { matchNames, searchPattern } from '../src/profile/search-pattern.ts';

export interface Searched {
  /** Why nothing is searched; '' where it is, or nothing is asked. */
  readonly refusal: string;
  /** By name; undefined: nothing is asked. */
  of(names: readonly string[]): readonly boolean[] | undefined;
}

const NOTHING: Searched = { refusal: '', of: () => undefined };
const SLOW: Searched = { ...NOTHING, refusal: 'it takes too long for so many names' };

/** `names`: all there are; they are matched once. */
export function searched(typed: string, names: readonly string[]): Searched {
  const pattern = searchPattern(typed);
  if (pattern.kind === 'all') return NOTHING;
  if (pattern.kind === 'refused') return { ...NOTHING, refusal: pattern.why };
  const found = matchNames(pattern, names, () => performance.now());
  if (found === undefined) return SLOW;
  const hits = new Set(names.filter((_, at) => found[at]));
  return { refusal: '', of: (some) => (some === names ? found : some.map((name) => hits.has(name))) };
}
