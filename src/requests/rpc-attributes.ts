/**
 * A call of gRPC in the words of OpenTelemetry's semantic conventions for RPC of before 1.38, which is what its SDKs say
 * (docs/adr/0016). What is not known is not there.
 */
import { errorType } from './error-type.ts';
import type { Exchange } from './exchange.ts';
import type { CountedAs } from './request-tally.ts';
import { OTHER_ROUTE } from './route-labels.ts';
import { isRpcFailure, LARGEST_RPC_STATUS, UNKNOWN_RPC_STATUS } from './rpc.ts';

export const RPC_SYSTEM = 'grpc';

export interface RpcAttributes {
  /** With its package. */
  readonly service: string | undefined;
  readonly method: string | undefined;
  /** Of gRPC. */
  readonly status: number | undefined;
  readonly error: string | undefined;
}

/** How a call ended, of which there are few: what a server makes up is UNKNOWN, as its clients have it. */
export interface RpcEnd {
  readonly grpcStatus: number | undefined;
  /** HTTP's, where the call failed by it before there was one of gRPC; else 0. */
  readonly status: number;
  readonly outcome: Exchange['outcome'];
}

export function rpcEndOf({ grpcStatus, status, outcome }: Exchange): RpcEnd {
  const isFailureOfHttp =
    outcome === 'Completed' && grpcStatus === undefined && status >= 500 && status < 600;
  return {
    grpcStatus: grpcStatus !== undefined && grpcStatus > LARGEST_RPC_STATUS ? UNKNOWN_RPC_STATUS : grpcStatus,
    status: isFailureOfHttp ? status : 0,
    outcome,
  };
}

export function rpcAttributes({ grpcStatus, status, outcome }: RpcEnd, { label }: CountedAs): RpcAttributes {
  return {
    ...(label.route === OTHER_ROUTE ? { service: undefined, method: undefined } : namesOf(label.route)),
    status: grpcStatus,
    error: errorType(outcome, failureOf(grpcStatus, status)),
  };
}

/** `/package.Service/Method`, or what a policy's pattern says instead. */
function namesOf(route: string): Pick<RpcAttributes, 'service' | 'method'> {
  const slash = route.lastIndexOf('/');
  return { service: route.slice(1, slash) || undefined, method: route.slice(slash + 1) };
}

function failureOf(grpcStatus: number | undefined, status: number): string | undefined {
  if (grpcStatus === undefined) return status === 0 ? undefined : String(status);
  return isRpcFailure(grpcStatus) ? String(grpcStatus) : undefined;
}
