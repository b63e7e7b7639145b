import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCpuSeconds, parseRssMb, usageOf } from './process-usage.ts';

test('a command with spaces and brackets does not shift the fields', () => {
  const stat = '42 (a) b (c)) S 1 42 42 0 -1 4194560 500 600 0 0 1234 766 9 9 20 0 30 0 100 1000 200';

  assert.equal(parseCpuSeconds(stat), 20);
});

test('the resident memory is read in megabytes, and a process without any has none', () => {
  assert.equal(parseRssMb('Name:\tjava\nVmHWM:\t 4096 kB\nVmRSS:\t  2048 kB\nThreads:\t3\n'), 2);
  assert(Number.isNaN(parseRssMb('Name:\tkthreadd\nThreads:\t1\n')));
});

test('the kernel accounts for this very process', () => {
  const before = usageOf(process.pid).cpuSeconds;
  for (const until = process.cpuUsage().user + 100_000; process.cpuUsage().user < until; );
  const { cpuSeconds, rssMb } = usageOf(process.pid);

  assert(cpuSeconds - before >= 0.05, `${cpuSeconds - before} s`);
  assert(Math.abs(rssMb / (process.memoryUsage.rss() / 2 ** 20) - 1) < 0.2);
});
