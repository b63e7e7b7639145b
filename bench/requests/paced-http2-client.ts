/** The same by HTTP/2 without TLS: each route on a connection of its own, by which a capture tells them apart. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { type Asked, type Pace, paced, type Route, tookNsOf } from './pace.ts';
import { numbered } from './timed.ts';

export interface AskedByHttp2 {
  /** In the order in which they were due, and numbered by it. */
  readonly asked: readonly Asked[];
  /** By the `address:port` of the client. */
  readonly routes: ReadonlyMap<string, string>;
}

/** Rejects when a request fails. */
export async function askByHttp2(pace: Pace): Promise<AskedByHttp2> {
  const sessions = new Map<string, ClientHttp2Session>();
  try {
    for (const { path } of pace.routes) {
      if (sessions.has(path)) continue;
      const session = connect(`http://${pace.host}:${pace.port}`);
      sessions.set(path, session);
      await once(session, 'connect');
    }
    const routes = new Map([...sessions].map(([path, session]) => [addressOf(session), path] as const));
    const asked = await paced(pace, (route, dueMs) => answerOf(sessions, route, dueMs));
    return { asked: numbered(asked), routes };
  } finally {
    for (const session of sessions.values()) session.destroy();
  }
}

const addressOf = ({ socket }: ClientHttp2Session): string => `${socket.localAddress}:${socket.localPort}`;

function answerOf(
  sessions: ReadonlyMap<string, ClientHttp2Session>,
  { path, body, headers }: Route,
  dueMs: number,
): Promise<Omit<Asked, 'id'>> {
  const session = sessions.get(path);
  if (session === undefined) throw new RangeError(`no connection is for ${path}`);
  return new Promise((resolve, reject) => {
    const sentMs = performance.now();
    const method = body === undefined ? 'GET' : 'POST';
    const stream = session.request({ ':path': path, ':method': method, ...headers });
    let appNs: number | undefined;
    stream.once('response', (head) => {
      appNs = tookNsOf(head['took-ns']);
      if (head[':status'] !== 200) reject(new Error(`${path} is answered with ${head[':status']}`));
    });
    stream.once('error', reject);
    stream.once('close', () => {
      const endMs = performance.now();
      resolve({ route: path, latencyNs: (endMs - dueMs) * 1e6, tookNs: (endMs - sentMs) * 1e6, appNs });
    });
    stream.resume();
    stream.end(body);
  });
}
