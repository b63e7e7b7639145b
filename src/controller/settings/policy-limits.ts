/** What a policy may ask for at most, by the install's settings: asked for more, it gets the most there is. Pure. */
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import { parsePercentage } from '../../crds/quantities.ts';

export interface PolicyLimits {
  readonly maxFrequencyHz: number;
  readonly maxRaisedFrequencyHz: number;
  /** Percentage of a core, as the kinds write it. */
  readonly maxAgentCpu: string;
}

/** Of a policy that does not say it. */
export const DEFAULT_AGENT_CPU = '5%';
const DEFAULT_RAISED_HZ = 199;

type Spec = AnyProfilingPolicy['spec'];

/** The policy as it is carried out; the same object where nothing is lowered. */
export function withinLimits<Policy extends AnyProfilingPolicy>(
  policy: Policy,
  limits: PolicyLimits,
): Policy {
  const asked = askedBy(policy.spec);
  const given = {
    frequencyHz: Math.min(asked.frequencyHz, limits.maxFrequencyHz),
    maxFrequencyHz: Math.min(asked.maxFrequencyHz, limits.maxRaisedFrequencyHz),
    agentCpu: lower(asked.agentCpu, limits.maxAgentCpu),
  };
  if (
    given.frequencyHz === asked.frequencyHz &&
    given.maxFrequencyHz === asked.maxFrequencyHz &&
    given.agentCpu === asked.agentCpu
  ) {
    return policy;
  }
  const { frequencyHz, maxFrequencyHz, agentCpu } = given;
  const cpu = { ...policy.spec.cpu, frequencyHz, maxFrequencyHz };
  return { ...policy, spec: { ...policy.spec, cpu, budget: { ...policy.spec.budget, agentCpu } } };
}

/** A clause for each value that is written higher than it may be. */
export function capsOf(
  { cpu, budget }: Pick<Spec, 'cpu' | 'budget'>,
  limits: PolicyLimits,
): readonly string[] {
  const { maxFrequencyHz, maxRaisedFrequencyHz, maxAgentCpu } = limits;
  const caps: string[] = [];
  if (cpu.frequencyHz > maxFrequencyHz)
    caps.push(`cpu.frequencyHz is ${maxFrequencyHz}, not ${cpu.frequencyHz}`);
  if (cpu.maxFrequencyHz !== undefined && cpu.maxFrequencyHz > maxRaisedFrequencyHz) {
    caps.push(`cpu.maxFrequencyHz is ${maxRaisedFrequencyHz}, not ${cpu.maxFrequencyHz}`);
  }
  const agentCpu = budget?.agentCpu;
  if (agentCpu !== undefined && lower(agentCpu, maxAgentCpu) !== agentCpu) {
    caps.push(`budget.agentCpu is ${maxAgentCpu}, not ${agentCpu}`);
  }
  return caps;
}

const askedBy = ({ cpu, budget }: Pick<Spec, 'cpu' | 'budget'>) => ({
  frequencyHz: cpu.frequencyHz,
  maxFrequencyHz: cpu.maxFrequencyHz ?? DEFAULT_RAISED_HZ,
  agentCpu: budget?.agentCpu ?? DEFAULT_AGENT_CPU,
});

const lower = (a: string, b: string): string => (parsePercentage(a) <= parsePercentage(b) ? a : b);
