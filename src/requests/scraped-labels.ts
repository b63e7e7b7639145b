/** The labels of a request series, as agents write them (http-attributes.ts, rpc-attributes.ts), read back. Pure. */
import type { StatusClass } from './exchange.ts';
import { LONGEST_METHOD, LONGEST_ROUTE } from './parse-request-window.ts';
import { OTHER_METHOD } from './request-tally.ts';
import { OTHER_ROUTE } from './route-labels.ts';
import { RPC_METHOD, rpcClass } from './rpc.ts';

export const HTTP_SERIES = 'http_server_request_duration_seconds';
export const RPC_SERIES = 'rpc_server_duration_milliseconds';

export type Labels = Readonly<Record<string, string>>;

/** Which row of a window a series belongs to, and how its requests ended. */
export interface ScrapedRow {
  readonly method: string;
  readonly route: string;
  readonly byPattern: boolean;
  readonly end: 'clientGone' | 'unfinished' | 'reset' | StatusClass;
  /** Microseconds of the metric's unit. */
  readonly unitUs: number;
}

const ENDS = { client_gone: 'clientGone', unfinished: 'unfinished', reset: 'reset' } as const;
/** What agents learn is words, `{}` and `*`: a name between braces is a user's, whose patterns stay as they are. */
const BY_PATTERN = /\{[^}]+\}/;

/** Undefined: no series of requests, or none that an agent writes. */
export function rowOfLabels(labels: Labels): ScrapedRow | undefined {
  const row = labels['__name__'] === RPC_SERIES ? rpcRow(labels) : httpRow(labels);
  return row.method.length > LONGEST_METHOD || row.route.length > LONGEST_ROUTE ? undefined : row;
}

function httpRow(labels: Labels): ScrapedRow {
  const { http_request_method: method = '_OTHER', http_route: route = OTHER_ROUTE } = labels;
  return {
    method: method === '_OTHER' ? OTHER_METHOD : method,
    route,
    byPattern: BY_PATTERN.test(route),
    end: endOf(labels, classOf(labels['http_response_status_code'])),
    unitUs: 1e6,
  };
}

/** Whether a call was a stream is in no label: streams are among the calls. */
function rpcRow(labels: Labels): ScrapedRow {
  const { rpc_service: service, rpc_method: method, rpc_grpc_status_code: status } = labels;
  const isNamed = service !== undefined && method !== undefined;
  const ofHttp = classOf(labels['error_type']);
  return {
    method: RPC_METHOD,
    route: isNamed ? `/${service}/${method}` : OTHER_ROUTE,
    byPattern: isNamed,
    end: endOf(labels, rpcClass(status === undefined ? undefined : Number(status), ofHttp)),
    unitUs: 1e3,
  };
}

const endOf = ({ error_type: error = '' }: Labels, class_: StatusClass): ScrapedRow['end'] =>
  error in ENDS ? ENDS[error as keyof typeof ENDS] : class_;

function classOf(status: string | undefined): StatusClass {
  const class_ = Math.floor(Number(status) / 100);
  return class_ === 1 || class_ === 2 || class_ === 3 || class_ === 4 || class_ === 5 ? class_ : 0;
}
