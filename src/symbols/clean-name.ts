const MAX_NAME_LENGTH = 512; // the wire takes 1024

/** A foreign name made safe to print, to fold with ";" and to send: no control characters, bounded. */
export function cleanName(name: string): string {
  return name.slice(0, MAX_NAME_LENGTH).replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp};]/gu, '?');
}
