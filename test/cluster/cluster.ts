/** The one door through which the demo, the tests and the benchmarks speak to the test cluster. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HERE = dirname(fileURLToPath(import.meta.url));
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024; // a namespace's pods as JSON stay far below
const run = promisify(execFile);

/** The variables that choose which cluster the scripts speak to; see test/cluster/README.md. */
export function clusterEnv(): Record<string, string> {
  const names = ['CLUSTER', 'CLUSTER_NAME', 'CLUSTER_NET', 'CLUSTER_VETH', 'IMAGE_PREFIX'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

/** Path of the admin kubeconfig; env.sh decides which. */
export function clusterKubeconfig(): string {
  const ask = `. ${JSON.stringify(join(HERE, 'env.sh'))} && echo "\${KUBECONFIG:-$HOME/.kube/config}"`;
  return execFileSync('bash', ['-c', ask], { encoding: 'utf8' }).trim();
}

/** Runs kubectl as cluster admin and returns what it prints. Rejects with its stderr. */
export async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await run(join(HERE, 'kubectl.sh'), args, { maxBuffer: MAX_OUTPUT_BYTES });
  return stdout;
}

/** Like kubectl, with an object or manifest text on standard input. */
export function kubectlWithInput(input: string, ...args: string[]): string {
  const done = spawnSync(join(HERE, 'kubectl.sh'), args, {
    input,
    encoding: 'utf8',
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  if (done.status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${done.stderr}`);
  return done.stdout;
}

/** Reads `kubectl get … -o json`; undefined when there is no such object. */
export async function getJson<T>(...args: string[]): Promise<T | undefined> {
  const text = await kubectl('get', ...args, '-o', 'json', '--ignore-not-found');
  return text.trim() === '' ? undefined : JSON.parse(text);
}

/**
 * Calls `probe` until it returns something (`false` is nothing), or throws with the last thing it saw after `seconds`. What may take long is
 * asked for rarely: a kubectl costs a fifth of a second of CPU, on a machine that is being measured.
 */
export async function eventually<T>(
  what: string,
  seconds: number,
  probe: () => Promise<T | false | undefined> | T | false | undefined,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  const everyMs = Math.min(5000, Math.max(500, seconds * 10));
  let last: unknown;
  while (Date.now() < end) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    await new Promise((wake) => setTimeout(wake, everyMs));
  }
  throw new Error(`${what}: not within ${seconds} s`, { cause: last });
}
