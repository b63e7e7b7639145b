/** The real helm, built from its module, and kubectl's kustomize. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

const built = (script: string): string =>
  execFileSync(new URL(script, import.meta.url).pathname, { encoding: 'utf8' }).trim();

export const helm = (args: readonly string[], env: NodeJS.ProcessEnv = {}): string =>
  run(join(built('build.sh'), 'helm'), args, env);

export const kustomize = (directory: string): readonly Manifest[] =>
  objectsIn(run(join(built('../cluster/build.sh'), 'kubectl'), ['kustomize', directory]));

/** Of a text of many documents; empty ones are none. As Go's libraries read it, in which 0440 is octal. */
export const objectsIn = (text: string): readonly Manifest[] =>
  parseAllDocuments(text, { version: '1.1' })
    .map((document): Manifest | null => document.toJS())
    .filter((object) => object !== null);

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  return execFileSync(program, args, {
    ...{ encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, env: { ...process.env, ...env } },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
