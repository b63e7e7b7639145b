/** Which of the flags that matter to a profiler a JVM was given, as far as its command line and environment tell. */

export interface JvmOptions {
  /** Names of flags that are on: PreserveFramePointer, DebugNonSafepoints. */
  readonly flags: readonly string[];
  readonly attachDisabled: boolean;
}

const REPORTED = ['PreserveFramePointer', 'DebugNonSafepoints'];

/** `cmdline` and `environ` are NUL-separated, as /proc gives them. What stands last counts, as in the JVM. */
export function jvmOptions(cmdline: string, environ: string): JvmOptions {
  const variables = environ.split('\0');
  const variable = (name: string) =>
    variables
      .find((each) => each.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .split(/\s+/) ?? [];
  const options = [
    ...variable('JAVA_TOOL_OPTIONS'),
    ...variable('JDK_JAVA_OPTIONS'),
    ...cmdline.split('\0'),
    ...variable('_JAVA_OPTIONS'),
  ];
  const on = (flag: string) =>
    options.findLast((each) => /^-XX:[+-]/.test(each) && each.slice(5) === flag)?.[4] === '+';
  return { flags: REPORTED.filter(on), attachDisabled: on('DisableAttachMechanism') };
}
