/** What stands in a frame: its name in the room there is, what kind of code it is, and how it changed, never by colour alone. */

import { nodeChange } from '../src/profile/flame-measure.ts';
import { KIND_SIGNS, plainName } from '../src/profile/frame-kind.ts';
import { visibleName } from '../src/profile/visible-name.ts';
import { labelIn } from './flame-label.ts';
import { nameOf, onlyIn, type Picture } from './picture.ts';

const CULPRIT = '◆';
const WORDS = { canary: 'NEW', baseline: 'GONE' } as const;
const LEAST_NAME = 8; // characters that a name needs beside an amount

export interface FrameText {
  readonly left: string;
  /** Stands at the frame's right end. */
  readonly right: string;
}

/** `room`: characters that fit. */
export function frameText(picture: Picture, node: number, room: number): FrameText {
  const { tree, kinds, steps, measure, text } = picture;
  const step = steps[node] ?? 0;
  const name = visibleName(plainName(nameOf(picture, node)));
  const kind = KIND_SIGNS[kinds[node] ?? 'java'];
  const only = onlyIn(picture, node);
  const word = only === undefined ? '' : WORDS[only];
  const marks = [picture.culprits.has(tree.name[node] ?? -1) ? CULPRIT : '', word, kind];
  const before = marks.filter((mark) => mark !== '').join(' ');
  const right = step === 0 ? '' : text.brief(nodeChange(tree, node, measure).delta);
  const lead = before === '' ? '' : `${before} `;
  const beside = room - lead.length - right.length - 1;
  if (right !== '' && beside >= Math.min(LEAST_NAME, name.length)) {
    return { left: `${lead}${labelIn(name, beside)}`, right };
  }
  const sign = step === 0 || word !== '' ? '' : step > 0 ? '+' : '−';
  const short = room - lead.length - sign.length >= LEAST_NAME ? `${lead}${sign}` : sign;
  return { left: `${short}${labelIn(name, room - short.length)}`, right: '' };
}
