/** Where in its source a frame stood, in the form that stack traces of the JVM have it. */

export interface Place {
  readonly file: string;
  readonly line: number | undefined;
  /** The line is that of the next safepoint: the instruction has none of its own. */
  readonly isNear: boolean;
}

/** Of a frame of which nothing is known. */
export const NOWHERE = '';

const MAX_FILE_LENGTH = 128; // what a compiler writes there is the file's own name
const MAX_LINE = 0x7fff_ffff; // an int in @DebugMetadata; line tables hold 16 bits
const TEXT = /^(.*?)(?::(~?)(\d{1,10}))?$/;

/** "Codec.kt:87"; "Codec.kt:~87" where the line is only near; "Codec.kt" without a line; NOWHERE without a file. */
export function placeText(file: string | undefined, line: number | undefined, isNear = false): string {
  if (file === undefined || file === '') return NOWHERE;
  const name = file.slice(0, MAX_FILE_LENGTH);
  const hasLine = line !== undefined && line > 0 && line <= MAX_LINE;
  return hasLine ? `${name}:${isNear ? '~' : ''}${line}` : name;
}

/** Undefined for NOWHERE. */
export function parsePlace(text: string): Place | undefined {
  const [, file = '', near, line] = TEXT.exec(text) ?? [];
  if (file === '') return undefined;
  return { file, line: line === undefined ? undefined : Number(line), isNear: near === '~' };
}
