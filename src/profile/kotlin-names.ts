/** What the Kotlin compiler makes of suspended functions, and how their names look in the source. */

const INVOKE_SUSPEND = '.invokeSuspend';
const IS_NUMBER = /^\d*$/;
const IS_CLASS = /^\p{Lu}/u; // as everybody writes them; functions begin with a small letter
const SUSPEND = 'suspend ';

/** "suspend shop.Orders.checkout", for a function that is named "shop.Orders.checkout". */
export function suspendName(functionName: string): string {
  return `${SUSPEND}${functionName}`;
}

/**
 * The function that the class of a continuation was made for: "shop.Orders.checkout" of "shop.Orders$checkout$1", which
 * is also the name that lambdas in it go by. Nested classes are told by their capital letters; a class of no function
 * keeps its own name.
 */
export function functionOfContinuation(className: string): string {
  const packageEnd = className.lastIndexOf('.') + 1;
  const [outermost = '', ...parts] = className.slice(packageEnd).split('$');
  const at = parts.findIndex((part) => !IS_CLASS.test(part));
  const functionName = parts[at];
  if (functionName === undefined || IS_NUMBER.test(functionName)) return className;
  return `${className.slice(0, packageEnd)}${[outermost, ...parts.slice(0, at)].join('$')}.${functionName}`;
}

/** The class of "shop.Orders$checkout$1.invokeSuspend"; undefined for every other method. */
export function continuationClassOf(methodName: string): string | undefined {
  return methodName.endsWith(INVOKE_SUSPEND) ? methodName.slice(0, -INVOKE_SUSPEND.length) : undefined;
}
