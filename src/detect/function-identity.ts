// javac and kotlinc count the lambdas, anonymous classes, continuations and accessors of a class: "lambda$place$3",
// "Orders$place$1.invokeSuspend", "Orders$1.run", "access$000"; Kotlin before 2.0 wrote "place$lambda-3". One more before
// them in the source gives each the next number, and the function is the same.
const COUNTED = /\$\d+(?=[$.]|$)/g;
const KOTLIN_LAMBDA = /\$lambda-\d+/g;
const [ZERO, NINE] = [0x30, 0x39];

/**
 * The function behind a name, for both versions of a program: the name without what a compiler counted. Functions that
 * differ by their number only are one for a verdict; which of them grew is said by the stack. What a running JVM counts
 * (hidden classes, accessors of reflection, proxies) is gone before: src/symbols/java-name.ts.
 */
export function functionIdentity(name: string): string {
  const uncounted = isFollowedByDigit(name) ? name.replace(COUNTED, '$') : name;
  return uncounted.includes('$lambda-') ? uncounted.replace(KOTLIN_LAMBDA, '$lambda') : uncounted;
}

/** Whether any "$" is: few names have one, and thousands come up in a minute. */
function isFollowedByDigit(name: string): boolean {
  for (let at = name.indexOf('$'); at >= 0; at = name.indexOf('$', at + 1)) {
    const next = name.charCodeAt(at + 1);
    if (next >= ZERO && next <= NINE) return true;
  }
  return false;
}
