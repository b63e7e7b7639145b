/** On a terminal a control character of a name could move the cursor or retitle the window. */
export { visibleName as visible } from '../profile/visible-name.ts';
