/** What a Service is to agents: one address, behind which each new connection meets one of the replicas that listen, in turn. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface BareService {
  readonly port: number;
  stop(): Promise<void>;
}

export async function bareService(ports: readonly number[]): Promise<BareService> {
  const open = new Set<Socket>();
  let turn = 0;
  const server = createServer((client) => {
    open.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => open.delete(client));
    const first = turn++;
    tryNext(0);

    function tryNext(tried: number): void {
      if (tried === ports.length) return void client.destroy();
      const replica = connect(ports[(first + tried) % ports.length] ?? 0, '127.0.0.1');
      replica.once('error', () => tryNext(tried + 1));
      replica.once('connect', () => {
        replica.removeAllListeners('error');
        replica.on('error', () => client.destroy());
        replica.on('close', () => client.destroy());
        client.on('close', () => replica.destroy());
        client.pipe(replica).pipe(client);
      });
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async stop() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
