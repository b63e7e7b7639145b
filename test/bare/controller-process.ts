/** The controller as it ships, as a process of its own that may be killed at any moment. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { killed } from './api-server.ts';
import { AGENTS, SYSTEM } from './cluster.ts';

export interface ControllerProcess {
  readonly pid: number;
  /** What it has said, by message. */
  has(message: string): boolean;
  /** Its log, for a failed test. */
  log(): string;
  readonly ended: () => boolean;
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

export interface ControllerProcessOptions {
  readonly kubeconfigFile: string;
  readonly dataDirectory: string;
  readonly httpsPort: number;
  readonly podName: string;
  readonly httpPort?: number;
  /** Where it answers as a webhook; missing: nowhere. */
  readonly webhookPort?: number;
  /** The install's settings; missing: the defaults. */
  readonly settingsFile?: string;
  /** Of node; as it ships, but for what it takes on a machine of its own. */
  readonly flags?: readonly string[];
}

const MOST_LINES = 5_000;

/** As in config/controller: what glibc keeps of freed memory is as much as what is in use. */
const MALLOC = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '16384', MALLOC_TRIM_THRESHOLD_: '65536' };

export function startControllerProcess(options: ControllerProcessOptions): ControllerProcess {
  const program = new URL('../../dist/controller/main.mjs', import.meta.url).pathname;
  const child: ChildProcess = spawn(
    process.execPath,
    [...(options.flags ?? ['--max-old-space-size=160']), program],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        ...MALLOC,
        KUBECONFIG: options.kubeconfigFile,
        POD_NAME: options.podName,
        POD_NAMESPACE: SYSTEM,
        FLAMEGATE_AGENTS_NAMESPACE: AGENTS,
        FLAMEGATE_HTTP_PORT: String(options.httpPort ?? 0),
        FLAMEGATE_HTTPS_PORT: String(options.httpsPort),
        FLAMEGATE_DATA_DIR: options.dataDirectory,
        ...(options.settingsFile && { FLAMEGATE_SETTINGS: options.settingsFile }),
        ...(options.webhookPort && { FLAMEGATE_WEBHOOK_PORT: String(options.webhookPort) }),
      },
    },
  );
  const lines: string[] = [];
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (lines.length < MOST_LINES) lines.push(line);
    });
  }
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid ?? 0,
    has: (message) => lines.some((line) => line.includes(`"msg":"${message}"`)),
    log: () => lines.join('\n'),
    ended,
    kill: () => killed(child),
    signal: (signal) => void child.kill(signal),
  };
}
