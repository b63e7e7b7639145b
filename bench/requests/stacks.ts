/** Servers of test/peers, and what each is asked for. */
import type { JavaPeer } from '../../src/native/testing/peers.ts';
import type { Route } from './pace.ts';

export interface Stack {
  readonly main: 'PeersKt' | 'Http2PeersKt';
  readonly flags: readonly string[];
  readonly protocol: 'HTTP/1.1' | 'HTTP/2';
  /** In turns. */
  readonly routes: readonly Route[];
}

const fast = { path: '/fast' };
const echo = { path: '/echo', body: Buffer.alloc(3_000, 'y') };
const PATHS: readonly Route[] = [fast, echo, fast, { path: '/chunked' }];

const CALL = { 'content-type': 'application/grpc', te: 'trailers' };
const call = (method: string, bytes: number): Route => ({
  path: `/peer.Echo/${method}`,
  headers: CALL,
  body: grpcMessage(bytes),
});
const unary = call('Unary', 100);
const CALLS: readonly Route[] = [unary, call('Large', 20_000), unary, call('Many', 100)];

const http1: Stack = { main: 'PeersKt', flags: [], protocol: 'HTTP/1.1', routes: PATHS };
export const STACKS: Readonly<Record<JavaPeer, Stack>> = {
  'netty-nio': http1,
  'netty-epoll': http1,
  'ktor-cio': http1,
  'netty-h2c': { main: 'Http2PeersKt', flags: [], protocol: 'HTTP/2', routes: PATHS },
  grpc: { main: 'Http2PeersKt', flags: [], protocol: 'HTTP/2', routes: CALLS },
  'ktor-netty': http1,
  // It writes head and body apart, of which Nagle's algorithm holds the second one back for 40 ms: another thing than is asked here.
  jdk: { ...http1, flags: ['-Dsun.net.httpserver.nodelay=true'] },
};

/** One that is not compressed, behind its length. */
function grpcMessage(bytes: number): Buffer {
  const message = Buffer.alloc(5 + bytes);
  message.writeUInt32BE(bytes, 1);
  return message;
}
