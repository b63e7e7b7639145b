/** `make demo`: runs the demo, prints what it found and how long each step took. Exit code 0 only for a Failed gate. */
import { clusterKubeconfig } from '../../test/cluster/cluster.ts';
import { printOutcome, runDemo } from './run-demo.ts';
import { startSteps } from './step.ts';

process.env['CLUSTER_NAME'] ??= 'flamegate-demo';
const steps = startSteps((line) => console.log(line));
const outcome = await runDemo(steps);
process.env['KUBECONFIG'] ??= clusterKubeconfig();
await printOutcome(outcome, (text) => console.log(text));
console.log('\nseconds  step');
for (const { name, seconds } of steps.times) console.log(`${String(seconds).padStart(7)}  ${name}`);
console.log(
  '\nThe page: build/demo-flamegraph.html. The cluster stays up for a look around: test/cluster/kubectl.sh get pods -A. `make demo-down` removes it.',
);
const verdict = outcome.gate.status?.verdict;
if (verdict !== 'Failed') {
  console.error(`the gate said ${verdict}; the demo expects Failed`);
  process.exitCode = 1;
}
