/**
 * What a reader typed, as a pattern over names: a regular expression, without regard to case. Backtracking can take for ever, and a tab
 * that hangs answers nobody, so only expressions that end soon are taken: nothing repeats a group or refers back, and few things repeat.
 */
export type SearchPattern =
  | { readonly kind: 'all' }
  | { readonly kind: 'pattern'; matches(name: string): boolean }
  | { readonly kind: 'refused'; readonly why: string };

const LONGEST = 200;
const LONGEST_NAME = 256; // of a name that much is looked at
const MOST_REPEATS = 2; // the time grows with the name's length to one power more than this: some 15 ms
const MOST_OPTIONALS = 8; // and doubles with each of these
const TOO_SLOW = 'it could take for ever';

export function searchPattern(typed: string): SearchPattern {
  const text = typed.trim();
  if (text === '') return { kind: 'all' };
  if (text.length > LONGEST) return refused(`longer than ${LONGEST} characters`);
  const why = whySlow(text);
  if (why !== undefined) return refused(why);
  try {
    const pattern = new RegExp(text, 'iu');
    return { kind: 'pattern', matches: (name) => pattern.test(name.slice(0, LONGEST_NAME)) };
  } catch {
    // "$Lambda" and "Foo(" are names before they are expressions.
    const plain = text.toLowerCase();
    return { kind: 'pattern', matches: (name) => name.toLowerCase().includes(plain) };
  }
}

const MOST_MS = 500; // of all names together

/** Undefined: it takes too long for so many names. `nowMs`: any clock. */
export function matchNames(
  { matches }: Pick<Extract<SearchPattern, { kind: 'pattern' }>, 'matches'>,
  names: readonly string[],
  nowMs: () => number,
): readonly boolean[] | undefined {
  const endMs = nowMs() + MOST_MS;
  const found: boolean[] = [];
  for (const name of names) {
    if (nowMs() > endMs) return undefined;
    found.push(matches(name));
  }
  return found;
}

const refused = (why: string): SearchPattern => ({ kind: 'refused', why });

const ATOMS = /\\.|\[(?:\\.|[^\]\\])*\]/gsu; // in which no character means more than itself

function whySlow(text: string): string | undefined {
  if (/\\[1-9k]/.test(text)) return `${TOO_SLOW}: no references back`;
  const bare = text.replaceAll(ATOMS, 'a');
  if (/\)(?:[*+]|\{\d)/.test(bare)) return `${TOO_SLOW}: a group cannot be repeated`;
  if (/\(\?(?:<?[=!])/.test(bare)) return `${TOO_SLOW}: no look ahead or behind`;
  const repeats = bare.match(/[*+]|\{\d+(?:,\d*)?\}/g)?.length ?? 0;
  if (repeats > MOST_REPEATS) return `${TOO_SLOW}: at most ${MOST_REPEATS} repetitions`;
  const optionals = bare.match(/\?/g)?.length ?? 0;
  return optionals > MOST_OPTIONALS ? `${TOO_SLOW}: at most ${MOST_OPTIONALS} question marks` : undefined;
}
