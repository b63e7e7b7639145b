/** For tests: an arm as text, `hash: pods`. */
import type { ArmPods } from '../arm-pods.ts';

export const sideText = ({ hash, pods }: ArmPods): string =>
  `${hash}: ${pods.map(({ metadata }) => metadata?.name).join(' ')}`;
