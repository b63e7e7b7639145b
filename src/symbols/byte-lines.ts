/** Cuts a stream of byte chunks into lines without making strings of them. */

export interface LineSplitter {
  feed(chunk: Uint8Array): void;
  /** Ends the last line if no newline did. */
  finish(): void;
}

export interface LineSink {
  /** The line is bytes[start, end), without its newline, valid only during the call. */
  line(bytes: Uint8Array, start: number, end: number): void;
  /** A line longer than the bound was left out. */
  tooLong(): void;
}

const NEWLINE = 0x0a;

/** Lines longer than `maxBytes` are left out and told to the sink, so that a file without newlines costs no memory. */
export function createLineSplitter(maxBytes: number, sink: LineSink): LineSplitter {
  const held = new Uint8Array(maxBytes);
  let heldBytes = 0;
  let skipping = false;

  const hold = (chunk: Uint8Array, start: number, end: number) => {
    if (skipping) return;
    if (heldBytes + end - start > maxBytes) {
      skipping = true;
      heldBytes = 0;
      sink.tooLong();
      return;
    }
    held.set(chunk.subarray(start, end), heldBytes);
    heldBytes += end - start;
  };
  const endLine = () => {
    if (!skipping) sink.line(held, 0, heldBytes);
    skipping = false;
    heldBytes = 0;
  };

  return {
    feed(chunk) {
      let start = 0;
      for (;;) {
        const newline = chunk.indexOf(NEWLINE, start);
        if (newline < 0) break;
        if (heldBytes === 0 && !skipping && newline - start <= maxBytes) {
          sink.line(chunk, start, newline);
        } else {
          hold(chunk, start, newline);
          endLine();
        }
        start = newline + 1;
      }
      hold(chunk, start, chunk.length);
    },
    finish() {
      if (heldBytes > 0 || skipping) endLine();
    },
  };
}
