/** The sample service against itself, or against its slow codec, as a build server would run it: samples/ci. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

const root = resolve(import.meta.dirname, '../..');
const JAVA = '/usr/lib/jvm/temurin-25-jdk-amd64/bin/java';
const built = (script: string): string => execFileSync(`${root}/${script}`, { encoding: 'utf8' }).trim();

export interface OrdersComparison {
  readonly exitCode: number | null;
  readonly document: {
    readonly verdict: string;
    readonly rounds: number;
    readonly seconds: number;
    readonly samples: { readonly baseline: number; readonly canary: number };
    readonly functions: readonly {
      readonly name: string;
      readonly callers: readonly string[];
      readonly baseline: number;
      readonly canary: number;
    }[];
    readonly most: { readonly growth: number; readonly name: string };
  };
}

export async function compareOrders(canary: 'fast' | 'slow', deadline: string): Promise<OrdersComparison> {
  const service = `exec ${JAVA} -Xmx96m -XX:+UseSerialGC -jar ${built('samples/orders/build.sh')}`;
  const load = `exec ${built('test/load/build.sh')}/flamegate-load -rate 60 -duration 1h -targets 127.0.0.1:$PORT`;
  const child = spawn(
    process.execPath,
    [
      ...[
        `${root}/src/cli/main.ts`,
        'compare',
        '--baseline',
        service,
        '--canary',
        `CODEC=${canary} ${service}`,
      ],
      ...['--load', load, '--ready', 'http://127.0.0.1:$PORT/healthz', '--run', '30s'],
      ...['--deadline', deadline, '--output', 'json'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  const document: OrdersComparison['document'] = JSON.parse(output);
  return { exitCode: typeof exitCode === 'number' ? exitCode : null, document };
}
