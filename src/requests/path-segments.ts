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

const PLAIN = /^[A-Za-z0-9_.~!$'()+,:@*=-]+$/;

function isWord(segment: string): boolean {
  if (segment.length > LONGEST_WORD || !PLAIN.test(segment)) return false;
  if (segment.includes('@') || segment.includes('*') || /^\.+$/.test(segment)) return false;
  return !looksLikeId(segment);
}

const FEWEST_ID_DIGITS = 3; // v1, oauth2, log4j, 2fa are words; abc123 and IMG_2024 are not
const NUMBER = /^[\d._,:-]*\d[\d._,:-]*$/;
const HEX = /^(0x)?[0-9a-f-]{8,}$/i;
const FEWEST_TOKEN_CHARACTERS = 16;
const TOKEN_CHANGES = 0.3;

function looksLikeId(segment: string): boolean {
  if (NUMBER.test(segment)) return true;
  const digits = segment.replace(/\D/g, '').length;
  if (digits >= FEWEST_ID_DIGITS) return true;
  if (HEX.test(segment) && (digits > 0 || segment.length >= FEWEST_TOKEN_CHARACTERS)) return true;
  return segment.length >= FEWEST_TOKEN_CHARACTERS && changesOf(segment) >= TOKEN_CHANGES;
}

/**
 * How often the kind of character changes, as a part of the length. Capitals before small letters do not count: words
 * in camel case change once a word (1 in 6), random letters and digits every other time. Signs between words are no change.
 */
function changesOf(segment: string): number {
  let changes = 0;
  for (let at = 1; at < segment.length; at++) {
    const before = kindOf(segment.charCodeAt(at - 1));
    const now = kindOf(segment.charCodeAt(at));
    const isSign = before === SIGN || now === SIGN;
    if (before !== now && !isSign && !(before === CAPITAL && now === SMALL)) changes += 1;
  }
  return changes / segment.length;
}

const SIGN = 0;
const CAPITAL = 1;
const SMALL = 2;
const DIGIT = 3;

function kindOf(code: number): number {
  if (code >= 65 && code <= 90) return CAPITAL;
  if (code >= 97 && code <= 122) return SMALL;
  return code >= 48 && code <= 57 ? DIGIT : SIGN;
}
