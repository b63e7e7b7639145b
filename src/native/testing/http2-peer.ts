/** For tests: a server of HTTP/2 without TLS that does what is asked of it, and prints `listening PORT`. Ends with its standard input. */
import { constants, createServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://peer');
  const number = (name: string) => Number(searchParams.get(name) ?? 0);
  switch (pathname) {
    case '/echo':
      echo(request, response);
      break;
    case '/large':
      response.end('x'.repeat(number('bytes')));
      break;
    case '/status':
      response.writeHead(number('code')).end();
      break;
    case '/reset':
      response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      break;
    case '/never':
      break;
    case '/trailers':
      response.addTrailers({ checksum: '1' });
      response.end('body');
      break;
    default:
      response.end('fine');
  }
});

function echo(request: Http2ServerRequest, response: Http2ServerResponse): void {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => response.end(Buffer.concat(parts)));
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address() as AddressInfo;
  console.log(`listening ${address.port}`);
});
process.stdin.resume().on('end', () => process.exit(0));
