/**
 * The settings that are in force: of the file that is mounted, read again while the controller runs. A file that is refused changes
 * nothing. It is polled, not watched: a ConfigMap's files are links that the kubelet swaps, once a minute or so, and two kilobytes
 * every few seconds cost nothing.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { MOST_BYTES, parseSettings, SettingsError } from './parse-settings.ts';
import type { Settings } from './settings.ts';

export interface SettingsWatch {
  /** Others are in force now. */
  readonly changed: (hash: string) => void;
  /** The file cannot be taken; said once for each reason. */
  readonly refused: (error: SettingsError) => void;
  /** After a refusal the file is again what is in force. */
  readonly restored: () => void;
}

export interface SettingsSource {
  current(): Settings;
  /** Of the text that is in force. */
  hash(): string;
  /** Calls back after each change. Returns the way to stop. */
  onChange(listener: () => void): () => void;
  /** Begins to read the file again and again. */
  watch(watch: SettingsWatch): void;
  stop(): void;
}

const EVERY_MS = 2_000;

/** Without a file every default is in force, for good. Throws a SettingsError when the file cannot be taken. */
export async function openSettings(
  file: string | undefined,
  options: { readonly everyMs?: number } = {},
): Promise<SettingsSource> {
  const read = async () => (file === undefined ? '' : await boundedText(file));
  const name = basename(file ?? 'settings.yaml');
  const listeners = new Set<() => void>();
  let text = await read();
  let settings = parseSettings(text, name);
  let refused: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const look = async ({ changed, refused: tell, restored }: SettingsWatch): Promise<void> => {
    try {
      const next = await read();
      if (next === text) {
        if (refused !== undefined) restored();
      } else {
        settings = parseSettings(next, name);
        text = next;
        for (const listener of [...listeners]) listener();
        changed(hashOf(text));
      }
      refused = undefined;
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      if (error.message !== refused) tell(error);
      refused = error.message;
    }
  };
  return {
    current: () => settings,
    hash: () => hashOf(text),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    watch(watch) {
      const again = async (): Promise<void> => {
        await look(watch);
        if (!stopped) begin();
      };
      const begin = (): void => {
        timer = setTimeout(() => void again(), options.everyMs ?? EVERY_MS);
      };
      if (file !== undefined) begin();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

async function boundedText(file: string): Promise<string> {
  try {
    const handle = await open(file);
    try {
      const buffer = Buffer.alloc(MOST_BYTES + 1); // one more than is taken, so that a longer one is seen
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SettingsError('SETTINGS_UNREADABLE', `the settings file cannot be read: ${why}`, cause);
  }
}
