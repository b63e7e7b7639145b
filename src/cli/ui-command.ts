/** `flamegate ui`: the controller's pages in a browser on this machine, until Ctrl-C. */
import { once } from 'node:events';
import { clusterConfig } from './cluster-config.ts';
import type { Command } from './command.ts';
import { openController } from './controller-connection.ts';
import { startUi } from './ui-server.ts';

export async function runUi(
  { namespace, port, cluster }: Extract<Command, { kind: 'ui' }>,
  { say, signal }: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<string> {
  const controller = await openController(clusterConfig(cluster), cluster);
  const ui = await startUi({ controller, namespace, port });
  say(`Gates of ${namespace ?? 'all namespaces'}: ${ui.url}\nThe address is yours alone; Ctrl-C ends it.`);
  if (!signal.aborted) await once(signal, 'abort');
  await ui.stop();
  return '';
}
