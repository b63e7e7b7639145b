import type { Exchange } from './exchange.ts';

/** OpenTelemetry's error.type: how a request ended, or `failure`, the status by which the server failed. */
export function errorType(outcome: Exchange['outcome'], failure: string | undefined): string | undefined {
  switch (outcome) {
    case 'Completed':
      return failure;
    case 'ClientGone':
      return 'client_gone';
    case 'Unfinished':
      return 'unfinished';
    case 'Reset':
      return 'reset';
  }
}
