/** Every kind of the group, in the order documents list them. */
import { clusterProfilingPolicyKind } from './cluster-profiling-policy.ts';
import { profilingPolicyKind } from './profiling-policy.ts';
import { regressionGateKind } from './regression-gate.ts';
import { regressionReportKind } from './regression-report.ts';
import type { Kind } from './schema.ts';

export const KINDS: readonly Kind[] = [
  profilingPolicyKind,
  clusterProfilingPolicyKind,
  regressionGateKind,
  regressionReportKind,
];
