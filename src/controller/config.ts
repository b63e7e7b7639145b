/** What the process is given: the one place here that reads the environment. What an install decides is in its settings file. */
import { randomUUID } from 'node:crypto';

export interface ControllerConfig {
  /** Namespace of the controller, its lease, its CA. */
  readonly namespace: string;
  /** Namespace of the agents' DaemonSet. */
  readonly agentsNamespace: string;
  /** Unique per process. */
  readonly identity: string;
  /** Absent outside a cluster. */
  readonly podName?: string;
  /** Probes and metrics, plain HTTP. */
  readonly httpPort: number;
  /** Agents and people, HTTPS. */
  readonly httpsPort: number;
  /** Where the API server asks about created pods; undefined: it does not. */
  readonly webhookPort?: number;
  readonly dataDir: string;
  /** The install's settings, docs/settings.md; undefined: every default. */
  readonly settingsFile: string | undefined;
  /** Where the Secret is mounted whose keys the settings name. */
  readonly credentialsDir: string;
  readonly logLevel: string;
}

export class ConfigError extends Error {
  readonly code = 'CONTROLLER_CONFIG_INVALID';
}

export function readControllerConfig(env: NodeJS.ProcessEnv = process.env): ControllerConfig {
  const podName = env['POD_NAME'];
  return {
    namespace: env['POD_NAMESPACE'] ?? 'flamegate-system',
    agentsNamespace: env['FLAMEGATE_AGENTS_NAMESPACE'] ?? 'flamegate-agents',
    identity: `${podName ?? 'flamegate-controller'}_${randomUUID().slice(0, 8)}`,
    ...(podName === undefined ? {} : { podName }),
    httpPort: port(env, 'FLAMEGATE_HTTP_PORT', 8080),
    httpsPort: port(env, 'FLAMEGATE_HTTPS_PORT', 8443),
    ...(env['FLAMEGATE_WEBHOOK_PORT'] === undefined
      ? {}
      : { webhookPort: port(env, 'FLAMEGATE_WEBHOOK_PORT', 0) }),
    settingsFile: env['FLAMEGATE_SETTINGS'],
    credentialsDir: env['FLAMEGATE_CREDENTIALS_DIR'] ?? '/etc/flamegate-credentials',
    dataDir: env['FLAMEGATE_DATA_DIR'] ?? '/var/lib/flamegate',
    logLevel: env['FLAMEGATE_LOG_LEVEL'] ?? 'info',
  };
}

function port(env: NodeJS.ProcessEnv, name: string, otherwise: number): number {
  const text = env[name];
  if (text === undefined) {
    return otherwise;
  }
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) {
    throw new ConfigError(`CONTROLLER_CONFIG_INVALID: ${name}=${text} is not a port from 0 to 65535`);
  }
  return value;
}
