/** async-profiler in the same JVM at the same time, as the judge of where compiled code was. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { jdkHome } from '../../src/jvm/testing/a-jvm.ts';

const VERSION = '4.1';
const LIBRARY = 'linux-x64/libasyncProfiler.so';

export interface AsyncProfiler {
  /** Ends it; its stacks in collapsed form, frames marked by kind. */
  stop(): string;
}

/** On the clock that we use, perf_event's cpu-clock, at so many samples a second of each thread. */
export function startAsyncProfiler(pid: number, frequencyHz: number): AsyncProfiler {
  const library = fetchedLibrary();
  const out = `/tmp/flamegate-bench-${pid}.collapsed`;
  const interval = Math.round(1e9 / frequencyHz);
  control(pid, library, `start,event=cpu,interval=${interval},jstackdepth=2048`);
  return {
    stop() {
      control(pid, library, `stop,file=${out},collapsed,ann`);
      const text = readFileSync(out, 'utf8');
      rmSync(out);
      return text;
    },
  };
}

// What has an equals sign is a name and a value to jcmd, unless it is quoted.
function control(pid: number, library: string, command: string): void {
  const jcmd = join(jdkHome(25), 'bin/jcmd');
  const said = execFileSync(jcmd, [String(pid), 'JVMTI.agent_load', library, `"${command}"`], {
    encoding: 'utf8',
  });
  if (!/return code: 0/.test(said)) throw new Error(`async-profiler, ${command}: ${said}`);
}

function fetchedLibrary(): string {
  const cache = process.env['FLAMEGATE_CACHE'] ?? join(homedir(), '.cache/flamegate');
  const directory = join(cache, `async-profiler-${VERSION}`);
  const library = join(directory, LIBRARY);
  if (existsSync(library)) return library;
  mkdirSync(directory, { recursive: true });
  const artifact = `tools.profiler:async-profiler:${VERSION}`;
  const copy = ['-q', '-B', 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy'];
  execFileSync('mvn', [...copy, `-Dartifact=${artifact}`, `-DoutputDirectory=${directory}`], {
    cwd: directory,
    stdio: 'inherit',
  });
  execFileSync(join(jdkHome(25), 'bin/jar'), ['xf', `async-profiler-${VERSION}.jar`, LIBRARY], {
    cwd: directory,
  });
  return library;
}
