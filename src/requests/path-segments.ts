/** A request's target cut into the words of its route. What could be somebody's or something's name is `{}`. */

/** Stands for one segment that is an identifier by its shape. */
export const ID_SEGMENT = '{}';

const LONGEST_TARGET = 2_048; // bytes kept of a request line; what is cut off is an id or a query in any case
const MOST_SEGMENTS = 16;
const LONGEST_WORD = 40;

/** The words of the path of a request's target; undefined when it has none (`*`, an authority, garbage). */
export function pathSegments(target: string): string[] | undefined {
  const path = pathOf(target.slice(0, LONGEST_TARGET));
  if (path === undefined) return undefined;
  const words: string[] = [];
  for (const segment of path.split('/', 2 * MOST_SEGMENTS)) {
    const plain = withoutParameters(segment);
    if (plain === '' || words.length === MOST_SEGMENTS) continue;
    words.push(plain);
  }
  return words;
}

/** The segment as a label may show it: itself when it is a word, else `{}`. */
export function wordOrId(segment: string): string {
  const word = segment.includes('%') ? decoded(segment) : segment;
  return word === undefined || !isWord(word) ? ID_SEGMENT : word;
}

/** RFC 9112 §3.2: origin form, or the absolute form that proxies are asked in. */
function pathOf(target: string): string | undefined {
  const origin = target.startsWith('/') ? target : /^https?:\/\/[^/?#]*([/?#].*)?$/i.exec(target)?.[1];
  if (origin === undefined) return /^https?:\/\//i.test(target) ? '/' : undefined;
  const end = origin.search(/[?#]/);
  return end < 0 ? origin : origin.slice(0, end);
}

/** Matrix parameters carry sessions: /cart;jsessionid=… */
function withoutParameters(segment: string): string {
  const at = segment.indexOf(';');
  return at < 0 ? segment : segment.slice(0, at);
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined; // not UTF-8: no word of anybody's route
  }
}

const FEWEST_ID_DIGITS = 3; // v1, oauth2, log4j, 2fa are words; abc123 and IMG_2024 are not
const FEWEST_HEX = 8;
const FEWEST_TOKEN_CHARACTERS = 16;
/**
 * How often the kind of character changes, as a part of the length. Capitals before small letters do not count: words
 * in camel case change once a word (1 in 6), random letters and digits every other time. Signs between words are no change.
 */
const TOKEN_CHANGES = 0.3;

/** One pass over the characters and no regular expression: paths with ids come once for each request. */
function isWord(segment: string): boolean {
  const { length } = segment;
  if (length > LONGEST_WORD) return false;
  let digits = 0;
  let letters = 0;
  let notHex = 0;
  let changes = 0;
  let before = SIGN;
  for (let at = 0; at < length; at++) {
    const code = segment.charCodeAt(at);
    const kind = code < KINDS.length ? (KINDS[code] ?? FOREIGN) : FOREIGN;
    if (kind === FOREIGN) return false;
    if (kind === DIGIT) digits += 1;
    else if (kind !== SIGN) letters += 1;
    if (!isHex(code, kind) && !(at === 1 && segment.startsWith('0x'))) notHex += 1;
    if (before !== kind && before !== SIGN && kind !== SIGN && !(before === CAPITAL && kind === SMALL))
      changes += 1;
    before = kind;
  }
  if (letters === 0 || digits >= FEWEST_ID_DIGITS) return false; // a number, a date, or signs alone
  if (notHex === 0 && length >= FEWEST_HEX && (digits > 0 || length >= FEWEST_TOKEN_CHARACTERS)) return false;
  return length < FEWEST_TOKEN_CHARACTERS || changes < TOKEN_CHANGES * length;
}

const FOREIGN = 0;
const SIGN = 1;
const CAPITAL = 2;
const SMALL = 3;
const DIGIT = 4;
const SIGNS = "_.~!$'()+,:=-";

/** Kind of each ASCII character; what stands for wildcards or is in nobody's route is foreign. */
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (character >= 'A' && character <= 'Z') return CAPITAL;
  if (character >= 'a' && character <= 'z') return SMALL;
  if (character >= '0' && character <= '9') return DIGIT;
  return SIGNS.includes(character) ? SIGN : FOREIGN;
});

const DASH = 45;
const isHex = (code: number, kind: number): boolean =>
  kind === DIGIT || code === DASH || (kind !== SIGN && (code | 32) <= 102); // up to f
