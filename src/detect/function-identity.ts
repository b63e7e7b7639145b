// javac and kotlinc count the lambdas, anonymous classes, continuations and accessors of a class: "lambda$place$3",
// "Orders$place$1.invokeSuspend", "Orders$1.run", "access$000"; Kotlin before 2.0 wrote "place$lambda-3". One more before
// them in the source gives each the next number, and the function is the same.
const COUNTED = /\$\d+(?=[$.]|$)/g;
const KOTLIN_LAMBDA = /\$lambda-\d+/g;

/**
 * The function behind a name, for both versions of a program: the name without what a compiler counted. Functions that
 * differ by their number only are one for a verdict; which of them grew is said by the stack. What a running JVM counts
 * (hidden classes, accessors of reflection, proxies) is gone before: src/symbols/java-name.ts.
 */
export function functionIdentity(name: string): string {
  return name.includes('$') ? name.replace(COUNTED, '$').replace(KOTLIN_LAMBDA, '$lambda') : name;
}
