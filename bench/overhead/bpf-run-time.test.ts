import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProgram } from './bpf-run-time.ts';

test('the run time of a program is read, and a link or a map that mentions one has none', () => {
  const common = 'pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t1061\n';
  const program = `${common}prog_type:\t7\nprog_jited:\t1\nprog_tag:\tabc\nmemlock:\t4096\nprog_id:\t31\nrun_time_ns:\t2500000\nrun_cnt:\t90\n`;

  assert.deepEqual(parseProgram(program), { id: '31', runMs: 2.5 });
  assert.equal(
    parseProgram(`${common}link_type:\tperf\nlink_id:\t4\nprog_tag:\tabc\nprog_id:\t31\n`),
    undefined,
  );
  assert.equal(parseProgram(`${common}map_type:\t27\nmax_entries:\t4096\n`), undefined);
});
