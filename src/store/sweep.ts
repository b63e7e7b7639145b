/**
 * Deletes stacks that no window refers to, and strings that no stack refers to: a large store is read for that as a whole, which takes
 * seconds. So it goes on by a step with each batch, and batches are stored in between. What they refer to is noted by the interner.
 */
import type { DatabaseSync } from 'node:sqlite';
import { IdSet } from './id-set.ts';
import { decodeIds, type Interner } from './interning.ts';
import { TIMES } from './stored-times.ts';

/** Tables beside that of windows that refer to stacks. */
export const WITH_STACKS = [...TIMES, 'served'] as const;

/** What the rows of a step cost: of a thousand some milliseconds. */
const COST = { window: 8, stack: 2, string: 1, gone: 4 };
const ROWS = { window: 50, stack: 250, string: 1_000 };

type Names = Pick<Interner, 'noteInto' | 'forget'>;

/** Yields what each step has cost. To be given up at any of them: nothing is deleted that somebody refers to. */
export function* sweep(db: DatabaseSync, names: Names): Generator<number, void, void> {
  const used = { stacks: new IdSet(), strings: new IdSet() };
  const last = { stack: lastId(db, 'stack'), string: lastId(db, 'string') };
  names.noteInto(used);
  yield* markWindows(db, used.stacks);
  for (const table of WITH_STACKS) yield* markTable(db, table, used.stacks);
  // From here on a batch makes those stacks anew that are about to go, and asks for each name again.
  names.forget((id) => id <= last.stack && !used.stacks.has(id));
  yield* sweepStacks(db, used, last.stack);
  yield* sweepStrings(db, used.strings, last.string);
  names.noteInto(undefined);
}

const lastId = (db: DatabaseSync, table: 'stack' | 'string'): number =>
  Number(db.prepare(`SELECT max(id) AS id FROM ${table}`).get()?.['id'] ?? 0);

/** One that is stored behind the step that is under way refers to what is noted. */
function* markWindows(db: DatabaseSync, used: IdSet): Generator<number> {
  const next = db.prepare('SELECT id, counts FROM window WHERE id > ? ORDER BY id LIMIT ?');
  for (let after = 0; ; ) {
    const rows = next.all(after, ROWS.window);
    for (const { id, counts } of rows) {
      after = Number(id);
      const pairs = idsIn(counts);
      for (let index = 0; index < pairs.length; index += 2) used.add(pairs[index] ?? 0);
    }
    yield rows.length * COST.window;
    if (rows.length < ROWS.window) return;
  }
}

function* markTable(db: DatabaseSync, table: string, used: IdSet): Generator<number> {
  const next = db.prepare(
    `SELECT podUid, container, startMs, stacks FROM ${table} WHERE (podUid, container, startMs) > (?, ?, ?)
     ORDER BY podUid, container, startMs LIMIT ?`,
  );
  for (let after: [string, string, number] = ['', '', 0]; ; ) {
    const rows = next.all(...after, ROWS.window);
    for (const { podUid, container, startMs, stacks } of rows) {
      after = [String(podUid), String(container), Number(startMs)];
      addIds(used, stacks);
    }
    yield rows.length * COST.window;
    if (rows.length < ROWS.window) return;
  }
}

interface Used {
  readonly stacks: IdSet;
  readonly strings: IdSet;
}

function* sweepStacks(db: DatabaseSync, { stacks, strings }: Used, last: number): Generator<number> {
  const next = db.prepare(
    'SELECT id, frames, places FROM stack WHERE id > ? AND id <= ? ORDER BY id LIMIT ?',
  );
  for (let after = 0; ; ) {
    const rows = next.all(after, last, ROWS.stack);
    const gone: number[] = [];
    for (const { id, frames, places } of rows) {
      after = Number(id);
      if (!stacks.has(after)) gone.push(after);
      else addIds(strings, frames, places);
    }
    dropRows(db, 'stack', gone);
    yield rows.length * COST.stack + gone.length * COST.gone;
    if (rows.length < ROWS.stack) return;
  }
}

function* sweepStrings(db: DatabaseSync, used: IdSet, last: number): Generator<number> {
  const next = db.prepare('SELECT id FROM string WHERE id > ? AND id <= ? ORDER BY id LIMIT ?');
  for (let after = 0; ; ) {
    const ids = next.all(after, last, ROWS.string).map(({ id }) => Number(id));
    const gone = ids.filter((id) => !used.has(id));
    dropRows(db, 'string', gone);
    yield ids.length * COST.string + gone.length * COST.gone;
    if (ids.length < ROWS.string) return;
    after = ids.at(-1) ?? last;
  }
}

function dropRows(db: DatabaseSync, table: 'stack' | 'string', gone: readonly number[]): void {
  if (gone.length === 0) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    const drop = db.prepare(`DELETE FROM ${table} WHERE id = ?`);
    for (const id of gone) drop.run(id);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function addIds(to: IdSet, ...blobs: readonly unknown[]): void {
  for (const blob of blobs) for (const id of idsIn(blob)) to.add(id);
}

const idsIn = (blob: unknown): readonly number[] => (blob instanceof Uint8Array ? decodeIds(blob) : []);
