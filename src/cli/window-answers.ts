/** What the controller streams of windows, read whole. */
import { createWindowDecoder, type RecordedWindow } from '../wire/window-lines.ts';
import { CliError } from './cli-error.ts';

export const MAX_ANSWER_BYTES = 512 * 1024 * 1024;

/** Throws when the answer was cut: then none of it is recorded, and the next poll asks for it again. */
export function decodeAnswer(text: string): RecordedWindow[] {
  const decode = createWindowDecoder();
  const windows: RecordedWindow[] = [];
  let announced: number | undefined;
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const decoded = decode(line);
    if (decoded.kind === 'end') {
      announced = decoded.windows;
    } else {
      windows.push(decoded.window);
    }
  }
  if (announced !== windows.length) {
    const said = announced === undefined ? 'no end' : `${announced} announced`;
    throw new CliError('CONTROLLER_UNREACHABLE', `the answer was cut: ${windows.length} windows, ${said}`);
  }
  return windows;
}
