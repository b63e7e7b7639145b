/** A request in the words of OpenTelemetry's semantic conventions for HTTP servers. What is not known is not there. */
import { errorType } from './error-type.ts';
import type { Exchange } from './exchange.ts';
import { type CountedAs, OTHER_METHOD } from './request-tally.ts';
import { OTHER_ROUTE } from './route-labels.ts';

export interface HttpAttributes {
  readonly method: string;
  readonly route: string | undefined;
  readonly status: number | undefined;
  readonly error: string | undefined;
}

export function httpAttributes(
  { status, outcome }: Pick<Exchange, 'status' | 'outcome'>,
  { method, label }: CountedAs,
): HttpAttributes {
  const known = status >= 100 && status < 600 ? status : undefined;
  return {
    method: method === OTHER_METHOD ? '_OTHER' : method,
    route: label.route === OTHER_ROUTE && !label.byPattern ? undefined : label.route,
    status: known,
    error: errorType(outcome, known !== undefined && known >= 500 ? String(known) : undefined),
  };
}
