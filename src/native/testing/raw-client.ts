/** For tests: a client that sends bytes as they are. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from '../sampler-fixture.ts';

export interface RawClient {
  readonly socket: Socket;
  send(text: string): Promise<void>;
  /** Waits until what was received since the last time matches, and forgets it. */
  receives(pattern: RegExp): Promise<string>;
}

export async function aClientOf(port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let received = '';
  socket.on('data', (data) => {
    received += data.toString('latin1');
  });
  socket.on('error', () => undefined); // resets are what some tests are about
  return {
    socket,
    send: (text) => new Promise((done) => socket.write(text, 'latin1', () => done())),
    async receives(pattern) {
      await eventually(`received ${pattern}, has ${received.slice(0, 200)}`, () => pattern.test(received));
      const text = received;
      received = '';
      return text;
    },
  };
}
