/** What a request costs in user space: by C++, as the agent does it, and the least of the same by TypeScript. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface UserSpaceCost {
  readonly cpp: number;
  readonly cppGrpc: number;
  readonly typeScript: number;
}

const PACE = fileURLToPath(new URL('../../build/http-pace', import.meta.url));
const EXCHANGES = 500_000;
const WARM_EXCHANGES = 20_000;
const HEADER_BYTES = 56;
const REQUEST = 'GET /orders/4711?lines=3 HTTP/1.1\r\nHost: orders\r\nAccept: application/json\r\n\r\n';
const RESPONSE =
  'HTTP/1.1 200 OK\r\nContent-Length: 20\r\nContent-Type: application/json\r\n\r\n{"id":4711,"sum":12}';

/** Nanoseconds an exchange. */
export function userSpaceCost(): UserSpaceCost {
  const [cpp, , cppGrpc] = execFileSync(PACE, [String(EXCHANGES)], { encoding: 'utf8' })
    .split(' ')
    .map(Number);
  parsedByTypeScript(WARM_EXCHANGES);
  return {
    ...{ cpp: cpp ?? Number.NaN, cppGrpc: cppGrpc ?? Number.NaN },
    typeScript: parsedByTypeScript(200_000),
  };
}

/** The least that TypeScript would have to do for a record: its header's numbers, its text, its first line and framing. */
function parsedByTypeScript(count: number): number {
  const record = Buffer.concat([Buffer.alloc(HEADER_BYTES), Buffer.from(REQUEST)]);
  const response = Buffer.concat([Buffer.alloc(HEADER_BYTES), Buffer.from(RESPONSE)]);
  const connections = new Map<bigint, { started: bigint; path: string }>();
  let finished = 0;
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    const request = Buffer.from(record); // a copy of the ring's bytes, as an addon hands it over
    const [method = '', target = ''] = request
      .toString('latin1', HEADER_BYTES, request.indexOf('\r\n', HEADER_BYTES))
      .split(' ');
    const length = /\r\ncontent-length: *(\d+)/i.exec(request.toString('latin1', HEADER_BYTES))?.[1];
    const path = target.split('?', 1)[0] ?? '';
    connections.set(request.readBigUInt64LE(8), {
      started: request.readBigUInt64LE(24),
      path: method + path + (length ?? ''),
    });
    const answer = Buffer.from(response);
    const status = Number(answer.toString('latin1', HEADER_BYTES + 9, HEADER_BYTES + 12));
    const body = /\r\ncontent-length: *(\d+)/i.exec(answer.toString('latin1', HEADER_BYTES))?.[1];
    const exchange = connections.get(answer.readBigUInt64LE(8));
    if (exchange !== undefined && status === 200 && body === '20')
      finished += Number(exchange.started === 0n);
  }
  if (finished !== count) throw new Error(`${finished} of ${count} exchanges`);
  return Math.round(((performance.now() - started) * 1e6) / count);
}
