/** Calls of gRPC among requests: what they are labelled, and what their status means for the server. */
import type { Exchange, StatusClass } from './exchange.ts';

/** Instead of a method: it is always POST. */
export const RPC_METHOD = 'rpc';
/** With more than one message either way: how long it lasts is its users' wish, so it stands apart. */
export const RPC_STREAM_METHOD = 'rpc-stream';

const OK = 0;
const UNIMPLEMENTED = 12;
export const UNKNOWN_RPC_STATUS = 2;
/**
 * UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS: what OpenTelemetry's semantic conventions for
 * gRPC call an error of a server. The others are its clients'.
 */
const FAILURES: ReadonlySet<number> = new Set([UNKNOWN_RPC_STATUS, 4, UNIMPLEMENTED, 13, 14, 15]);
export const LARGEST_RPC_STATUS = 16;

/** `/package.Service/Method` */
const RPC_NAME = /^\/[A-Za-z0-9_.]+\/[A-Za-z0-9_]+$/;
export const isRpcName = (path: string): boolean => RPC_NAME.test(path);

/** As if it were HTTP's: 2 answered, 4 refused, 5 failed, 0 not known; of a call that HTTP refused, HTTP's own. */
export function rpcClass(grpcStatus: number | undefined, httpClass: StatusClass): StatusClass {
  if (grpcStatus === undefined) return httpClass === 2 ? 0 : httpClass;
  if (grpcStatus === OK) return 2;
  return isRpcFailure(grpcStatus) ? 5 : 4;
}

/** Of the server, that is. */
export const isRpcFailure = (grpcStatus: number): boolean =>
  FAILURES.has(grpcStatus) || grpcStatus > LARGEST_RPC_STATUS;

/** Whether the answer says that there is such a call. */
export const isRpcFound = ({ grpcStatus }: Pick<Exchange, 'grpcStatus'>, ofClass: StatusClass): boolean =>
  grpcStatus !== UNIMPLEMENTED && ofClass !== 4;

export const isRpc = ({ rpc }: Pick<Exchange, 'rpc'>): boolean => rpc === 'Unary' || rpc === 'Streaming';
