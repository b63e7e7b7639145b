/**
 * The controller as a process, before a real API server, with the account and the roles that an install gives it. The install's files are
 * applied under names of the test, so that a cluster that has or gets an install of its own is left alone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { eventually } from '../../cluster/cluster.ts';
import { client, dropNamespace, installKinds, kubeConfig, makeNamespace } from './api-server.ts';

export interface InstalledController {
  readonly httpsPort: number;
  /** The authority of its certificate, as it publishes it. */
  readonly ca: string;
  /** Applies a file of config/, and remembers it. */
  install(file: string): Promise<void>;
  /** Its log, for a failed test. */
  log(): string;
  ended(): boolean;
  /** With all that was installed. */
  remove(): Promise<void>;
}

interface Installed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const ID = `${process.pid}`;
const SYSTEM = `flamegate-system-${ID}`;
const AGENTS = `flamegate-agents-${ID}`;
const ACCOUNT = 'flamegate-controller';

const renamed = (text: string): string =>
  text
    .replaceAll('flamegate-system', SYSTEM)
    .replaceAll('flamegate-agents', AGENTS)
    .replaceAll(/\b(flamegate-(?:controller|target-[a-z-]+))\b(?!-tls)/g, `$1-${ID}`);

/** `settings`: text of the install's settings file; empty: the defaults. */
export async function installedController(settings = ''): Promise<InstalledController> {
  await using begun = new AsyncDisposableStack();
  const directory = begun.use(mkdtempDisposableSync(join(tmpdir(), 'flamegate-installed-'))).path;
  const clusterWide: Installed[] = [];
  const install = async (file: string): Promise<void> => {
    const text = readFileSync(new URL(`../../../config/${file}`, import.meta.url), 'utf8');
    for (const document of parseAllDocuments(renamed(text))) {
      const object: Installed = document.toJS();
      if (object.metadata.namespace === undefined) clusterWide.push(object);
      await client.apply(refOf(object), object, { fieldManager: 'flamegate-test', force: true });
    }
  };
  await installKinds();
  for (const namespace of [SYSTEM, AGENTS]) {
    await makeNamespace(namespace);
    begun.defer(async () => void (await dropNamespace(namespace)));
  }
  begun.defer(async () => {
    for (const object of clusterWide) await client.delete(refOf(object));
  });
  await account(SYSTEM, `${ACCOUNT}-${ID}`);
  await account(AGENTS, 'flamegate-agent');
  await install('rbac/controller.yaml');
  const kubeconfigFile = await kubeconfigOf(directory);
  const settingsFile = join(directory, 'settings.yaml');
  writeFileSync(settingsFile, settings);
  const { child, log } = controllerProcess({ kubeconfigFile, settingsFile, directory });
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  begun.defer(async () => {
    const exit = new Promise((resolve) => child.once('exit', resolve));
    if (!ended() && child.kill()) await exit;
  });
  const httpsPort = await eventually('the controller runs', 120, () => {
    if (ended()) throw new Error(log());
    const port = /"port":(\d+),"msg":"ingest listens"/.exec(log())?.[1];
    return log().includes('controller started') && port !== undefined ? Number(port) : undefined;
  });
  const { data } = await eventually('its authority', 60, () =>
    client.get<{ readonly data: Record<string, string> }>({
      ...{ apiVersion: 'v1', plural: 'configmaps', namespace: AGENTS, name: 'flamegate-ca' },
    }),
  );
  const running = begun.move();
  return {
    ...{ httpsPort, ca: data['ca.crt'] ?? '', install, log, ended },
    remove: () => running.disposeAsync(),
  };
}

function refOf({ apiVersion, kind, metadata }: Installed) {
  const { name, namespace } = metadata;
  return { apiVersion, plural: `${kind.toLowerCase()}s`, name, ...(namespace && { namespace }) };
}

async function account(namespace: string, name: string): Promise<void> {
  const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
  await client.create({ apiVersion: 'v1', plural: 'serviceaccounts', namespace }, object);
}

/** A token as a pod of the account has it. */
export async function tokenOf(namespace: string, name: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  return (await client.request<{ status: { token: string } }>('POST', path, request)).status.token;
}

async function kubeconfigOf(directory: string): Promise<string> {
  const file = join(directory, 'kubeconfig');
  writeFileSync(file, kubeconfigWith(await tokenOf(SYSTEM, `${ACCOUNT}-${ID}`)));
  return file;
}

/** To the cluster of the tests, as whoever has the token. */
export function kubeconfigWith(token: string): string {
  const cluster = kubeConfig.getCurrentCluster();
  const ofCluster = {
    ...{ server: cluster?.server, 'certificate-authority-data': cluster?.caData },
    ...{ 'certificate-authority': cluster?.caFile, 'insecure-skip-tls-verify': cluster?.skipTLSVerify },
  };
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
    clusters: [{ name: 'test', cluster: ofCluster }],
    users: [{ name: 'account', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'account' } }],
  });
}

interface Files {
  readonly kubeconfigFile: string;
  readonly settingsFile: string;
  readonly directory: string;
}

function controllerProcess({ kubeconfigFile, settingsFile, directory }: Files) {
  const program = new URL('../../../src/controller/main.ts', import.meta.url).pathname;
  const child: ChildProcess = spawn(process.execPath, [program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...{ KUBECONFIG: kubeconfigFile, POD_NAMESPACE: SYSTEM, POD_NAME: 'installed' },
      ...{ FLAMEGATE_AGENTS_NAMESPACE: AGENTS, FLAMEGATE_DATA_DIR: join(directory, 'data') },
      ...{ FLAMEGATE_HTTP_PORT: '0', FLAMEGATE_HTTPS_PORT: '0', FLAMEGATE_SETTINGS: settingsFile },
    },
  });
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  return { child, log: () => said };
}
