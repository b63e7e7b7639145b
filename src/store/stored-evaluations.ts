/** The evaluations a database of windows still knows, for whoever judges them again from a copy of the file. */
import { openDatabaseToRead } from './database-file.ts';
import { interner } from './interning.ts';
import { StoreError } from './store-error.ts';
import { decodeWindow, type StoredWindow } from './stored-window.ts';
import { type Arm, byStart, CHOSEN, type PodRef, rowsOf } from './window-store.ts';

export interface StoredEvaluation {
  /** UID of its report. */
  readonly uid: string;
  /** When its first pods were seen: a look after it began at most. */
  readonly seenMs: number;
  readonly pods: Readonly<Record<Arm, readonly Required<PodRef>[]>>;
}

export interface StoredEvaluations {
  /** The oldest first. */
  readonly all: readonly StoredEvaluation[];
  /** Ordered by start, then by pod. Throws STORE_READ_FAILED. */
  windows(pods: readonly PodRef[], fromMs: number): StoredWindow[];
  close(): void;
}

/** Throws STORE_OPEN_FAILED. */
export function openStoredEvaluations(path: string): StoredEvaluations {
  const db = openDatabaseToRead(path);
  const reading = <T>(read: () => T): T => {
    try {
      return read();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StoreError('STORE_READ_FAILED', `the store ${path}: ${why}`, cause);
    }
  };
  const names = interner(db);
  return {
    all: reading(() => evaluationsIn(db.prepare('SELECT * FROM evaluationPod ORDER BY seenMs').all())),
    windows: (pods, fromMs) =>
      reading(() => {
        const query = { pods, fromMs, toMs: Number.MAX_SAFE_INTEGER };
        const rows = rowsOf(db, `SELECT * FROM window ${CHOSEN}`, query);
        return Array.from(rows, (row) => decodeWindow(row, names)).sort(byStart);
      }),
    close: () => db.close(),
  };
}

function evaluationsIn(rows: readonly Readonly<Record<string, unknown>>[]): StoredEvaluation[] {
  return [...Map.groupBy(rows, (row) => String(row['evaluation']))].map(([uid, ofOne]) => ({
    uid,
    seenMs: Math.min(...ofOne.map((row) => Number(row['seenMs']))),
    pods: { baseline: podsOf(ofOne, 'baseline'), canary: podsOf(ofOne, 'canary') },
  }));
}

const podsOf = (rows: readonly Readonly<Record<string, unknown>>[], arm: Arm): Required<PodRef>[] =>
  rows
    .filter((row) => row['arm'] === arm)
    .map((row) => ({ podUid: String(row['podUid']), container: String(row['container']) }));
