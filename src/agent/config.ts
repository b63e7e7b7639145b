/** The agent's settings; the only place of the agent that looks at the environment. */
import { resolve } from 'node:path';
import { AgentError } from './agent-error.ts';
import { LOG_LEVELS, type LogLevel } from './log.ts';

export interface AgentConfig {
  readonly nodeName: string;
  readonly controllerUrl: URL;
  readonly caFile: string;
  readonly tokenFile: string;
  /** Where the Secret is mounted whose keys the install's settings name for sinks. */
  readonly credentialsDirectory: string;
  readonly cgroupRoot: string;
  readonly procRoot: string;
  readonly spoolDirectory: string;
  /** Until the controller has told what the install's settings say. */
  readonly spoolBytes: number;
  readonly addonPath: string;
  readonly objectPath: string;
  /** The install grants the attach protocol: a file in the container's /tmp and a SIGQUIT. */
  readonly attachAllowed: boolean;
  /** Stacks of coroutines have their suspended callers. Each sample of a JVM that has any wakes the agent then. */
  readonly followCoroutines: boolean;
  /** The install grants mode Live: one byte of a JVM's flag, written while it starts. */
  readonly liveAllowed: boolean;
  readonly execObjectPath: string;
  readonly requestsObjectPath: string;
  readonly offCpuObjectPath: string;
  readonly ioObjectPath: string;
  readonly httpPort: number;
  readonly logLevel: LogLevel;
  readonly version: string;
}

const DEFAULT_SPOOL_BYTES = 128 * 1024 * 1024;
const MIN_SPOOL_BYTES = 1024 * 1024;

/** Throws AGENT_CONFIG_INVALID, which names the variable. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): AgentConfig {
  const dist = resolve(import.meta.dirname, '../../build');
  return {
    nodeName: required(env, 'NODE_NAME'),
    controllerUrl: httpsUrl(required(env, 'FLAMEGATE_CONTROLLER')),
    caFile: env['FLAMEGATE_CA_FILE'] ?? '/etc/flamegate/ca/ca.crt',
    tokenFile: env['FLAMEGATE_TOKEN_FILE'] ?? '/var/run/secrets/flamegate/token',
    credentialsDirectory: env['FLAMEGATE_CREDENTIALS_DIR'] ?? '/etc/flamegate-credentials',
    cgroupRoot: env['FLAMEGATE_CGROUP_ROOT'] ?? '/host/sys/fs/cgroup',
    procRoot: env['FLAMEGATE_PROC_ROOT'] ?? '/proc',
    spoolDirectory: env['FLAMEGATE_SPOOL'] ?? '/var/lib/flamegate/spool',
    spoolBytes: integer(env, 'FLAMEGATE_SPOOL_BYTES', DEFAULT_SPOOL_BYTES, MIN_SPOOL_BYTES),
    addonPath: env['FLAMEGATE_ADDON'] ?? `${dist}/flamegate.node`,
    objectPath: env['FLAMEGATE_BPF_OBJECT'] ?? `${dist}/cpu.bpf.o`,
    attachAllowed: env['FLAMEGATE_ATTACH'] === 'true',
    followCoroutines: env['FLAMEGATE_COROUTINES'] !== 'false',
    liveAllowed: env['FLAMEGATE_LIVE'] === 'true',
    execObjectPath: env['FLAMEGATE_EXEC_OBJECT'] ?? `${dist}/exec.bpf.o`,
    requestsObjectPath: env['FLAMEGATE_REQUESTS_OBJECT'] ?? `${dist}/requests.bpf.o`,
    offCpuObjectPath: env['FLAMEGATE_OFFCPU_OBJECT'] ?? `${dist}/offcpu.bpf.o`,
    ioObjectPath: env['FLAMEGATE_IO_OBJECT'] ?? `${dist}/io.bpf.o`,
    httpPort: integer(env, 'FLAMEGATE_HTTP_PORT', 9464, 0),
    logLevel: logLevel(env),
    version: env['FLAMEGATE_VERSION'] ?? 'dev',
  };
}

type Env = Readonly<Record<string, string | undefined>>;

function required(env: Env, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw invalid(`${name} is not set`);
  return value;
}

function httpsUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') throw invalid(`FLAMEGATE_CONTROLLER is "${text}", not an https URL`);
  return url;
}

function integer(env: Env, name: string, fallback: number, min: number): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw invalid(`${name} is "${text}", not a whole number from ${min}`);
}

function logLevel(env: Env): LogLevel {
  const asked = env['FLAMEGATE_LOG_LEVEL'] ?? 'info';
  const level = LOG_LEVELS.find((each) => each === asked);
  if (level) return level;
  throw invalid(`FLAMEGATE_LOG_LEVEL is "${asked}", not one of ${LOG_LEVELS.join(', ')}`);
}

function invalid(message: string): AgentError {
  return new AgentError('AGENT_CONFIG_INVALID', message);
}
