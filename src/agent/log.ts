/**
 * JSON lines on standard output, in pino's format. pino itself loads node's worker threads: 10 MB of an agent's 64
 * (measured on Node 24.21).
 */
export interface AgentLog {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  fatal(fields: LogFields, message: string): void;
}

/** `err` is printed with its code, message, stack and cause. */
export type LogFields = Readonly<Record<string, unknown>>;

const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, silent: 70 } as const;

export type LogLevel = keyof typeof LEVELS;
export const LOG_LEVELS = Object.keys(LEVELS) as readonly LogLevel[]; // its keys are those and no others

export function createLog(
  level: LogLevel,
  node: string,
  write: (line: string) => void = (line) => void process.stdout.write(line),
): AgentLog {
  const at = (name: LogLevel) => (fields: LogFields, message: string) => {
    if (LEVELS[name] < LEVELS[level]) return;
    const time = new Date().toISOString();
    const line = { level: LEVELS[name], time, node, ...fields, ...errorOf(fields), msg: message };
    write(
      `${JSON.stringify(line, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}\n`,
    );
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal') };
}

function errorOf({ err }: LogFields): LogFields {
  return err instanceof Error ? { err: described(err) } : {};
}

function described(error: Error): LogFields {
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return { type: name, code, message, stack, cause: cause instanceof Error ? described(cause) : cause };
}
