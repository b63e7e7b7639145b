/** The two ways in which somebody else's words enter a page. */
import { visibleName } from './visible-name.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Safe as text and inside a quoted attribute; what cannot be seen is written out. */
export const escapeHtml = (text: string): string =>
  visibleName(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/** JSON that can neither close its script element nor open a comment in it, nor break a line of JavaScript. */
export const escapeJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
