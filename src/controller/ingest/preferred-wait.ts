/** How long a caller is ready to wait for an answer that is news. */
import type { IncomingMessage } from 'node:http';

/** `Prefer: wait=30` (RFC 7240, section 4.3). */
export function preferredWaitS({ headers }: IncomingMessage): number {
  const { prefer } = headers;
  const [, seconds] =
    /(?:^|[,;\s])wait=(\d{1,4})/.exec(Array.isArray(prefer) ? prefer.join(',') : (prefer ?? '')) ?? [];
  return Number(seconds ?? 0);
}
