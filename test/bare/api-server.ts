/**
 * etcd and an API server, and nothing else of Kubernetes: nothing schedules, runs or collects a pod, a test says what is there. The API
 * server can be stopped and started again, and finds what it had.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempDisposableSync, openSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { KubeConfig } from '@kubernetes/client-node';
import { type KubeClient, kubeClient } from '../../src/kube/client.ts';
import { eventually } from '../cluster/cluster.ts';
import { freePort } from '../free-port.ts';

export interface BareApiServer {
  readonly kubeconfigFile: string;
  readonly kubeConfig: KubeConfig;
  /** As cluster admin. */
  readonly client: KubeClient;
  /** Ends the API server at once; etcd goes on. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** These of kube-controller-manager's controllers, and no others. */
  runControllers(names: readonly string[]): Promise<void>;
  /** etcd forgets all revisions but the last one. */
  compact(): Promise<void>;
  /** How often all objects of the resource were listed since the API server began. */
  listsOf(resource: string): Promise<number>;
  /** Ends all, and removes what they wrote. */
  close(): Promise<void>;
}

const READY_SECONDS = 300; // seconds on a quiet machine

export async function bareApiServer(moreFlags: readonly string[] = []): Promise<BareApiServer> {
  await using begun = new AsyncDisposableStack();
  const directory = begun.use(mkdtempDisposableSync(join(tmpdir(), 'flamegate-bare-'))).path;
  const programs = execFileSync(new URL('../cluster/build.sh', import.meta.url).pathname, {
    encoding: 'utf8',
  }).trim();
  const [etcdPort, peerPort, apiPort] = [await freePort(), await freePort(), await freePort()];
  const token = randomBytes(24).toString('hex');
  writeKeys(directory, token);
  const kubeconfigFile = join(directory, 'kubeconfig');
  writeFileSync(kubeconfigFile, kubeconfigOf(apiPort, token));
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeconfigFile);
  const client = kubeClient(kubeConfig);
  const run = (name: string, args: readonly string[]): ChildProcess => {
    const log = openSync(join(directory, `${name}.log`), 'a');
    const child = spawn(join(programs, 'kubeling'), [name, ...args], { stdio: ['ignore', log, log] });
    closeSync(log); // the child has its own
    return child;
  };
  const others: ChildProcess[] = [];
  const etcd = run('etcd', etcdFlags(directory, etcdPort, peerPort));
  let api: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const again = () =>
      run('kube-apiserver', [...apiServerFlags(directory, etcdPort, apiPort), ...moreFlags]);
    api = again();
    await eventually('the API server is ready', READY_SECONDS, async () => {
      if (api === undefined || hasEnded(api)) api = again(); // it gives up where a busy machine is slow to start it
      await client.request('GET', '/api/v1/namespaces/kube-system');
      return true;
    });
  };
  const stop = async (): Promise<void> => {
    if (api !== undefined) await killed(api);
    api = undefined;
  };
  begun.defer(() => killed(etcd));
  begun.defer(stop);
  begun.defer(async () => void (await Promise.all(others.map(killed))));
  await start();
  const running = begun.move();
  return {
    ...{ kubeconfigFile, kubeConfig, client, stop, start },
    async runControllers(names) {
      const flags = managerFlags(directory, kubeconfigFile, await freePort());
      others.push(run('kube-controller-manager', [...flags, `--controllers=${names.join()}`]));
    },
    compact: () => compactEtcd(etcdPort),
    listsOf: (resource) => listsOf(resource, apiPort, token),
    close: () => running.disposeAsync(),
  };
}

async function compactEtcd(port: number): Promise<void> {
  const ask = async (what: string, body: object): Promise<unknown> => {
    const url = `http://127.0.0.1:${port}/v3/kv/${what}`;
    return (await fetch(url, { method: 'POST', body: JSON.stringify(body) })).json();
  };
  const { header } = (await ask('range', { key: 'AA==' })) as { header: { revision: string } };
  await ask('compaction', { revision: header.revision });
}

async function listsOf(resource: string, port: number, token: string): Promise<number> {
  const options = { rejectUnauthorized: false, headers: { authorization: `Bearer ${token}` } };
  const asked = request(`https://127.0.0.1:${port}/metrics`, options).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const line = new RegExp(
    `^apiserver_request_total\\{.*resource="${resource}".*verb="LIST".*\\} (\\d+)$`,
    'gm',
  );
  const counted = (await text(answer)).matchAll(line);
  return [...counted].reduce((sum, [, count]) => sum + Number(count), 0);
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

/** Not asked, since neither has anything to lose here. */
export async function killed(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** Somebody else may take it before it is used, which nobody here does. */
function writeKeys(directory: string, token: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(directory, 'sa.key'), privateKey.export({ type: 'sec1', format: 'pem' }));
  writeFileSync(join(directory, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(directory, 'tokens.csv'), `${token},admin,admin,system:masters\n`);
}

const kubeconfigOf = (port: number, token: string): string =>
  JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'bare' },
    clusters: [
      { name: 'bare', cluster: { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'bare', context: { cluster: 'bare', user: 'admin' } }],
  });

const etcdFlags = (directory: string, port: number, peerPort: number): readonly string[] => [
  ...['--data-dir', join(directory, 'etcd'), '--log-level', 'warn', '--unsafe-no-fsync'],
  ...[
    '--listen-client-urls',
    `http://127.0.0.1:${port}`,
    '--advertise-client-urls',
    `http://127.0.0.1:${port}`,
  ],
  ...['--listen-peer-urls', `http://127.0.0.1:${peerPort}`],
];

const managerFlags = (directory: string, kubeconfigFile: string, port: number): readonly string[] => [
  ...[`--kubeconfig=${kubeconfigFile}`, '--leader-elect=false'],
  ...['--bind-address=127.0.0.1', `--secure-port=${port}`, `--cert-dir=${join(directory, 'certificates')}`],
];

const apiServerFlags = (directory: string, etcdPort: number, port: number): readonly string[] => [
  `--etcd-servers=http://127.0.0.1:${etcdPort}`,
  ...['--bind-address=127.0.0.1', `--secure-port=${port}`, `--cert-dir=${join(directory, 'certificates')}`],
  ...['--service-cluster-ip-range=10.99.0.0/24', '--endpoint-reconciler-type=none'],
  '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
  `--service-account-key-file=${join(directory, 'sa.pub')}`,
  `--service-account-signing-key-file=${join(directory, 'sa.key')}`,
  `--token-auth-file=${join(directory, 'tokens.csv')}`,
  '--authorization-mode=RBAC',
  '--disable-admission-plugins=ServiceAccount', // nobody makes the account "default"
];
