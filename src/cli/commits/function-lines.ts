/**
 * The lines of a function in its source, by how it is indented: no parser of a language, since a formatted file shows where a function
 * ends, and where it does not, the lines around the one that was seen are enough to ask git about. Pure.
 */

/** First and last, from 1. */
export type Lines = readonly [number, number];

const AROUND = 3; // lines before and after, where no function is found
const MOST_LINES = 2_000; // of a function; longer ones are taken by the lines around

/**
 * `names`: of the function, nearest first. Of several with a name the last one that begins at or before the line counts, or without a
 * line the first. Undefined where neither a name nor the line is in the text.
 */
export function functionLines(
  text: string,
  names: readonly string[],
  line: number | undefined,
): Lines | undefined {
  const lines = text.split('\n');
  const isInside = line !== undefined && line <= lines.length; // those of inlined functions may lie behind the end
  for (const name of names) {
    const begins = declarationsOf(lines, name);
    const at = isInside ? begins.findLast((begin) => begin < line) : begins[0];
    if (at === undefined) continue;
    const found: Lines = [firstOf(lines, at) + 1, lastOf(lines, at) + 1];
    const isLong = found[1] - found[0] >= MOST_LINES;
    if (!isLong && (!isInside || line <= found[1])) return found;
  }
  return isInside ? [Math.max(1, line - AROUND), Math.min(lines.length, line + AROUND)] : undefined;
}

/** Words that stand before a call, where a declaration has its type. */
const NO_TYPE = /(?:^|\s)(?:return|throw|else|new|case|yield|assert|in|is|as|do)\s*$/;

/** Indexes of lines that declare it: `fun name(`, `def name(`, or of Java a type and `name(`. */
function declarationsOf(lines: readonly string[], name: string): readonly number[] {
  const opened = new RegExp(`(?<![\\p{L}\\p{N}_$])${escaped(name)}\`?\\s*\\(`, 'u');
  return lines.flatMap((line, at) => {
    const open = line.length > LONGEST_LINE ? null : opened.exec(line);
    if (open === null) return [];
    const before = line.slice(0, open.index);
    const isKotlin = FUN.test(before) && !/[={]/.test(before);
    return isKotlin || (TYPE.test(before) && !NO_TYPE.test(before)) ? [at] : [];
  });
}

const LONGEST_LINE = 1_000; // longer ones are made by a program
const FUN = /(?:^|\s)(?:fun|def)\s/;
/** What stands before the name in Java: annotations, modifiers, type parameters and the type. */
const TYPE = /^\s*[\p{L}@][\p{L}\p{N}_$<>[\],.?&@ ]*[>\]\p{L}\p{N}_]\s+$/u;

const escaped = (name: string): string => name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

const indentOf = (line: string): number => line.length - line.trimStart().length;
const isBlank = (line: string): boolean => line.trim() === '';

/** With its annotations. */
function firstOf(lines: readonly string[], at: number): number {
  let first = at;
  while (first > 0 && /^\s*@/.test(lines[first - 1] ?? '')) first -= 1;
  return first;
}

/** A line that goes on with a declaration: the end of its parameters, its body's beginning, an expression on its own line. */
const GOES_ON = /^\s*(?:[){:=]|throws\s|where\s|->)/;

function lastOf(lines: readonly string[], at: number): number {
  const indent = indentOf(lines[at] ?? '');
  let last = at;
  for (let next = at + 1; next < lines.length; next++) {
    const line = lines[next] ?? '';
    if (isBlank(line)) continue;
    if (indentOf(line) <= indent && !GOES_ON.test(line)) {
      return line.trimStart().startsWith('}') && indentOf(line) === indent ? next : last;
    }
    last = next;
  }
  return last;
}
