/** One command over a JVM's attach socket. */
import { connect } from 'node:net';
import { codeOf } from './agent-error.ts';
import { AttachFailure } from './attach-outcome.ts';

const PROTOCOL_VERSION = '1'; // since JDK 5; JDK 24 speaks 2 besides
const ANSWER_TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** The JVM's answer, cut at 64 KB; undefined if nothing listens. `words` is the command and its three arguments. */
export function callJvm(path: string, words: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const socket = connect({ path });
    const answer = () => resolve(Buffer.concat(chunks).toString('utf8'));
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => {
      socket.destroy(new AttachFailure('AttachTimeout', `no answer after ${ANSWER_TIMEOUT_MS} ms`));
    });
    socket.on('connect', () => socket.write(`${[PROTOCOL_VERSION, ...words].join('\0')}\0`));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) socket.destroy();
    });
    socket.on('close', answer);
    socket.on('error', (error) => {
      if (['ENOENT', 'ECONNREFUSED'].includes(codeOf(error))) resolve(undefined);
      else if (['EPIPE', 'ECONNRESET'].includes(codeOf(error))) answer();
      else reject(error);
    });
  });
}
