/**
 * Names come from other people's processes. A character that cannot be seen, that turns the order of those around it, or that is half
 * of one, is written out: nobody is then shown another name than the one there is.
 */
export const visibleName = (name: string): string =>
  name.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
