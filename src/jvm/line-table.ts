/** Which source line a bytecode stands in: CompressedLineNumberTable of hotspot/share/code/compressedStream. */
import { type ExcludedBytes, readUnsigned5 } from './unsigned5.ts';

const END = 0;
const ESCAPE = 0xff; // both differences follow as signed numbers; else five bits of bci and three of line

/**
 * The line of the last entry at or before `bci`, as a stack trace of the JVM has it. Entries are in no order. Undefined
 * when there is none, and when a table that was cut before its end leaves it open.
 */
export function lineAt(table: Uint8Array, bci: number, excluded: ExcludedBytes): number | undefined {
  const reader = readUnsigned5(table, excluded);
  let [entryBci, entryLine] = [0, 0];
  let bestBci = 0;
  let bestLine: number | undefined;
  for (let byte = reader.byte(); byte !== END; byte = reader.byte()) {
    if (byte === undefined) return undefined;
    const isShort = byte !== ESCAPE;
    const bciStep = isShort ? byte >> 3 : reader.signed();
    const lineStep = isShort ? byte & 7 : reader.signed();
    if (bciStep === undefined || lineStep === undefined) return undefined;
    entryBci += bciStep;
    entryLine += lineStep;
    if (entryBci === bci) return entryLine;
    if (entryBci < bci && entryBci >= bestBci) {
      bestBci = entryBci;
      bestLine = entryLine;
    }
  }
  return bestLine;
}
