import pino, { type Logger } from 'pino';

export type AgentLog = Logger;

/** JSON lines on standard output. */
export function createLog(level: string, node: string): AgentLog {
  return pino({ level, base: { node }, timestamp: pino.stdTimeFunctions.isoTime });
}
