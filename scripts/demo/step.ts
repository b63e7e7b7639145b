/** A demo is a list of steps; each says what it does, how long it took, and keeps its seconds for the record. */

export interface StepTime {
  readonly name: string;
  readonly seconds: number;
}

export interface Steps {
  /** Runs one step, printing its name before and its seconds after. */
  run<T>(name: string, work: () => Promise<T> | T): Promise<T>;
  /** A line of progress within the running step. */
  say(line: string): void;
  readonly times: readonly StepTime[];
}

export function startSteps(print: (line: string) => void): Steps {
  const times: StepTime[] = [];
  const begun = performance.now();
  const clock = () => `${String(Math.floor((performance.now() - begun) / 1000)).padStart(4)} s`;
  return {
    times,
    say: (line) => print(`${clock()}      ${line}`),
    async run(name, work) {
      print(`${clock()}  ▸ ${name}`);
      const started = performance.now();
      const result = await work();
      times.push({ name, seconds: Math.round((performance.now() - started) / 100) / 10 });
      return result;
    },
  };
}
