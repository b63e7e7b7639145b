export type StoreErrorCode = 'STORE_OPEN_FAILED' | 'STORE_WRITE_FAILED' | 'STORE_READ_FAILED' | 'STORE_FULL';

/** What the database said no with; `cause` is SQLite's own error. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, sentence: string, cause: unknown) {
    super(`${code}: ${sentence}`, { cause });
    this.name = 'StoreError';
    this.code = code;
  }
}

/** Primary result codes: https://www.sqlite.org/rescode.html; the low byte of an extended one. */
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

const primaryCode = (error: unknown): number | undefined => {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
};

export const isCorruption = (error: unknown): boolean => {
  const code = primaryCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
};

export const isFull = (error: unknown): boolean => primaryCode(error) === SQLITE_FULL;

/** No id is left that fits the 32 bits in which ids are written. */
export class IdsSpent extends Error {
  constructor() {
    super('every id of a name or a stack has been given out; the store is begun anew');
  }
}
