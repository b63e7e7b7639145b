/** A frame's name in the room there is: whole, without its package, or cut. */

const LEAST_CHARACTERS = 3;

/** "" when not even three characters fit. */
export function labelIn(name: string, characters: number): string {
  if (characters < LEAST_CHARACTERS) {
    return '';
  }
  const shorter = name.length <= characters ? name : withoutPackage(name);
  return shorter.length <= characters ? shorter : `${shorter.slice(0, characters - 1)}…`;
}

/** `suspend shop.codec.Slow$Json.encode` → `suspend Slow$Json.encode`; what has no package stays. */
function withoutPackage(name: string): string {
  return name.replace(/^(suspend )?(?:[a-z_][\w$]*[./])+(?=[^./]+[./][^./]+$)/, '$1');
}
