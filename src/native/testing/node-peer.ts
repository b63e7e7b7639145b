/** For tests: a server that does what is asked of it, and prints `listening PORT`. Ends with its standard input. */
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const server = createServer({ maxHeaderSize: 16_384 }, (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://peer');
  const number = (name: string) => Number(searchParams.get(name) ?? 0);
  switch (pathname) {
    case '/echo':
      echo(request, response);
      break;
    case '/wait':
      setTimeout(() => response.end('waited'), number('ms'));
      break;
    case '/chunked':
      for (let i = 0; i < number('chunks'); i++) response.write('x'.repeat(number('bytes')));
      response.end();
      break;
    case '/status':
      response.writeHead(number('code')).end();
      break;
    case '/large':
      response.end('x'.repeat(number('bytes')));
      break;
    case '/half':
      response.writeHead(200, { 'content-length': 1000 });
      response.write('half', () => request.socket.destroySoon());
      break;
    case '/reset':
      request.socket.resetAndDestroy();
      break;
    case '/never':
      break;
    case '/ask':
      get({ host: '127.0.0.1', port: number('port'), path: '/asked' }, (answer) => answer.pipe(response));
      break;
    default:
      response.end('fine');
  }
});

function echo(request: IncomingMessage, response: ServerResponse): void {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => response.end(Buffer.concat(parts)));
}

server.on('upgrade', (_request: IncomingMessage, socket: Socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  socket.pipe(socket);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address() as AddressInfo;
  console.log(`listening ${address.port}`);
});
process.stdin.resume().on('end', () => process.exit(0));
