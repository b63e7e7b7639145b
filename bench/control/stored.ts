/** What became of acknowledged windows, by the store's own file. */
import { DatabaseSync } from 'node:sqlite';
import type { Sent } from './agents.ts';

export interface Stored {
  /** Of acknowledged batches. */
  readonly windowsLost: number;
  /** More than one of a container and moment, or of batches that were sent more than once. */
  readonly windowsDoubled: number;
  readonly windowsUnsent: number;
  readonly storeMb: number;
}

export function countWindows(path: string, { acknowledged, windows }: Sent, podsPerNode: number): Stored {
  const db = new DatabaseSync(path, { readOnly: true });
  const count = (sql: string): number => Number(db.prepare(sql).get()?.['n'] ?? 0);
  const total = count('SELECT count(*) AS n FROM window');
  const distinct = count(
    'SELECT count(*) AS n FROM (SELECT DISTINCT podUid, container, startMs FROM window)',
  );
  const known = new Set(
    db
      .prepare('SELECT node, sequence FROM batch')
      .all()
      .map(({ node, sequence }) => `${node}/${sequence}`),
  );
  const bytes = count('SELECT page_count * page_size AS n FROM pragma_page_count, pragma_page_size');
  db.close();
  const kept = acknowledged.filter((batch) => known.has(batch)).length;
  return {
    windowsLost: (acknowledged.length - kept) * podsPerNode + Math.max(0, kept * podsPerNode - distinct),
    windowsDoubled: total - distinct,
    windowsUnsent: windows - acknowledged.length * podsPerNode,
    storeMb: bytes / 1024 / 1024,
  };
}
