/** The source of windows that the install's settings name, which may become another one while the controller runs. */
import { Counter, type Registry } from 'prom-client';
import { type BackendClientOptions, createBackendClient } from '../../backends/backend-client.ts';
import { prometheusRequests } from '../../backends/prometheus-requests.ts';
import type { RequestSource } from '../../backends/request-source.ts';
import type { WindowStore } from '../../store/window-store.ts';
import type { Settings } from '../settings/settings.ts';
import { type BackendSaid, type WindowSource, windowSource } from './window-source.ts';

export interface InstalledSourceOptions {
  readonly store: Pick<WindowStore, 'windows' | 'storeId'>;
  readonly settings: { current(): Pick<Settings, 'prometheus'> };
  readonly credentialsDirectory: string;
  readonly registry: Registry;
  readonly now: () => number;
  readonly limits?: Pick<BackendClientOptions, 'timeoutMs' | 'maxAnswerBytes'>;
}

export type InstalledSource = WindowSource & { close(): void };

export function installedSource(options: InstalledSourceOptions): InstalledSource {
  const { store, settings, credentialsDirectory, registry, now } = options;
  const client = createBackendClient({ name: 'Prometheus', credentialsDirectory, ...options.limits });
  let named:
    | { readonly address: Settings['prometheus']; readonly source: RequestSource | undefined }
    | undefined;
  const requests = (): RequestSource | undefined => {
    const address = settings.current().prometheus;
    if (named === undefined || named.address !== address) {
      named = { address, source: address && prometheusRequests(client, address) };
    }
    return named.source;
  };
  const source = windowSource({ store, requests, now, observe: counted(registry) });
  return { ...source, close: () => client.close() };
}

function counted(registry: Registry): (read: string, said: Pick<BackendSaid, 'faults' | 'lost'>) => void {
  const registers = [registry];
  const reads = new Counter({
    name: 'flamegate_backend_reads_total',
    help: 'Reads of requests from the Prometheus of the settings: "read", or the code of why not.',
    labelNames: ['result'],
    registers,
  });
  const faults = new Counter({
    name: 'flamegate_backend_faults_total',
    help: 'What was wrong with what it answered: samples, series and windows by fault; what is read twice is counted twice.',
    labelNames: ['fault'],
    registers,
  });
  const lost = new Counter({
    name: 'flamegate_backend_requests_lost_total',
    help: 'Requests of compared pods that it did not have, by why.',
    labelNames: ['fault'],
    registers,
  });
  return (result, said) => {
    reads.inc({ result });
    for (const [fault, times] of said.faults) faults.inc({ fault }, times);
    for (const [fault, requests] of said.lost) lost.inc({ fault }, requests);
  };
}
