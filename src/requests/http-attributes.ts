/** A request in the words of OpenTelemetry's semantic conventions for HTTP servers. What is not known is not there. */
import type { Exchange } from './exchange.ts';
import { type CountedAs, OTHER_METHOD } from './request-tally.ts';
import { OTHER_ROUTE } from './route-labels.ts';
import { RPC_METHOD, RPC_STREAM_METHOD } from './rpc.ts';

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
    method: httpMethod(method),
    route: label.route === OTHER_ROUTE && !label.byPattern ? undefined : label.route,
    status: known,
    error: errorOf(outcome, known),
  };
}

/** A call of gRPC is a POST to its name. */
function httpMethod(method: string): string {
  if (method === RPC_METHOD || method === RPC_STREAM_METHOD) return 'POST';
  return method === OTHER_METHOD ? '_OTHER' : method;
}

/** How it ended, or the status if the server failed. */
function errorOf(outcome: Exchange['outcome'], status: number | undefined): string | undefined {
  switch (outcome) {
    case 'Completed':
      return status !== undefined && status >= 500 ? String(status) : undefined;
    case 'ClientGone':
      return 'client_gone';
    case 'Unfinished':
      return 'unfinished';
    case 'Reset':
      return 'reset';
  }
}
