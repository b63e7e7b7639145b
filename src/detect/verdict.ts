import type { DoubtKind } from './doubt.ts';

export type Verdict = 'Collecting' | 'Passed' | 'Failed' | 'Inconclusive';

/** Why the verdict is what it is: stable, CamelCase, shown to users as a condition's reason. */
export type CpuReason =
  | DoubtKind
  | 'FunctionGrew'
  | 'NewHotPath'
  | 'NoRegression'
  | 'MarginNotReached'
  | 'CostMoved'
  | 'TooMuchLoss'
  | 'TooFewPods'
  | 'NoSamples'
  | 'WaitingForLooks';

export type RequestReason =
  | DoubtKind
  | 'LatencyGrew'
  | 'ErrorsGrew'
  | 'CostGrew'
  | 'NoRegression'
  | 'MarginNotReached'
  | 'TooMuchLoss'
  | 'TooFewPods'
  | 'TooFewRequests'
  | 'NotObservable';

/** Where the windows were to be read from, they cannot be. */
export type SourceReason = 'BackendUnreadable';

/** What a reader has to know to weigh the verdict. Those that are doubts, too, may leave a gate undecided (doubt.ts). */
export type CpuFlag =
  | DoubtKind
  | 'AssumedVariance'
  | 'FewBaselinePods'
  | 'PodsScaled'
  | 'WarmUpExcluded'
  | 'PodVarianceInflated'
  | CodeChange
  | 'GarbageCollection'
  | 'RatesDiffered';

/** What changed in the code without costing more: names, the numbers compilers give, what is inlined, which function does the work. */
export type CodeChange = 'Renamed' | 'Renumbered' | 'InliningChanged' | 'CostMoved';

/** A flag in a sentence, with the numbers. */
export interface DataFlag {
  readonly flag: CpuFlag;
  readonly message: string;
}

export type CulpritKind = 'New' | 'Grown' | 'Moved';

/** Shares are of the canary's CPU; the baseline's are rescaled to the functions that did not change. */
export interface Culprit {
  readonly function: string;
  /** Where in it the canary was seen most often, as src/profile/place.ts has it. */
  readonly place: string;
  readonly kind: CulpritKind;
  /** Whether its own code grew, or what it calls. */
  readonly selfOrTotal: 'self' | 'total';
  readonly deltaShare: number;
  readonly interval: readonly [number, number];
  /** Of all that the culprits listed grew by; one that calls another has what that has. */
  readonly shareOfDelta: number;
  /** Milliseconds of CPU a request that it grew by; absent where requests are not seen. */
  readonly perRequestMs?: number;
  readonly baselineShare: number;
  readonly canaryShare: number;
  /** The canary's commonest stack through the function, leaf first. */
  readonly stack: readonly CulpritFrame[];
  /** Where the coroutine of that stack runs, if it is one's: src/profile/machinery.ts. */
  readonly dispatcher?: string;
  /** Method and route of the requests it belongs to, where most samples that belong to any agree. */
  readonly route?: string;
}

export interface CulpritFrame {
  readonly name: string;
  readonly place: string;
}

export interface CpuCheck {
  readonly check: 'cpu.function';
  /** The function with the worst evidence. */
  readonly function: string;
  readonly baseline: number;
  readonly canary: number;
  readonly delta: number;
  readonly interval: readonly [number, number];
  readonly margin: number;
  readonly detectable: number;
  readonly verdict: Verdict;
  readonly evidence: CheckEvidence;
}

export interface RequestCheck {
  /** `latency.p99`, `errors`, `cpu.perRequest`. */
  readonly check: string;
  readonly verdict: Verdict | 'NotObservable';
  readonly reason: RequestReason;
  /** In a sentence, with the numbers. */
  readonly message: string;
  /** Absent while there is too little to weigh. */
  readonly numbers?: CheckNumbers;
  readonly evidence?: CheckEvidence;
}

/** Milliseconds (of latency, or of CPU a request), or parts of requests. */
export interface EffectNumbers {
  readonly unit: 'ms' | 'share';
  readonly baseline: number;
  readonly canary: number;
  readonly delta: number;
  readonly interval: readonly [number, number];
  readonly margin: number;
  /** Where growth began after the evaluation did: how long after. Then delta and interval are against the canary's own past. */
  readonly sinceMs?: number;
}

export interface CheckNumbers extends EffectNumbers {
  /** The route with most of the excess. */
  readonly route?: string;
  readonly detectable: number;
}

/** One route beside a check of all: information, no verdict rests on it. */
export interface RouteEffect {
  readonly check: string;
  /** Or how many others, together. */
  readonly route: string;
  /** The canary's. */
  readonly requests: number;
  /** Of the requests that the canary has too many of (slow ones, or failed); absent while the check shows no growth. */
  readonly shareOfDelta?: number;
  /** Whether it grew by more than the margin: at most one in twenty of those that are called so did not. */
  readonly isGrown: boolean;
  /** Absent where it is no single route, or has too few requests. */
  readonly numbers?: EffectNumbers;
}

/** What a check may cost in false failures, and how far its evidence got. */
export interface CheckEvidence {
  /** Chance that this check alone ever fails a harmless canary; 0: it decides nothing. */
  readonly level: number;
  /** Logs of e-values: of the last look, of the function with the most of it; and from which on it is proof. */
  readonly logE: number;
  readonly neededLogE: number;
}

/** What would have settled a check that was not, each alone if the canary stays as it is; absent: not by this alone. */
export interface Settling {
  readonly check: string;
  readonly unit: 'ms' | 'share';
  /** Of the whole evaluation. */
  readonly deadlineMs?: number;
  /** Canary pods with the load of those there are; more of the baseline only where canaries alone are not enough. */
  readonly pods?: { readonly baseline: number; readonly canary: number };
  /** Times as many requests, in both arms. */
  readonly traffic?: number;
  /** The smallest that the bound of the last look is below; to pass, two looks in a row have to be. */
  readonly margin?: number;
}

/** The evaluation without one pod of the canary. */
export interface LeftOutPod {
  readonly pod: string;
  readonly check: string;
  /** In the unit of the check: milliseconds, or a share. */
  readonly effect: number;
  readonly lower: number;
  readonly upper: number;
  readonly verdictWithout: Verdict;
}

/** Code that is no function of the service: the JVM itself, the kernel, the interpreter. */
export interface GroupShare {
  readonly group: string;
  readonly baselineShare: number;
  readonly canaryShare: number;
}

export interface CpuJudgement {
  readonly verdict: Verdict;
  readonly reason: CpuReason;
  readonly message: string;
  /** Event time of the look that decided; absent while collecting. */
  readonly decidedAtMs?: number;
  readonly looks: number;
  readonly samples: { readonly baseline: number; readonly canary: number };
  readonly pods: { readonly baseline: number; readonly canary: number };
  readonly checks: readonly CpuCheck[];
  /** Growth, as a share of CPU, that would have been seen by now with 90 % probability in nine of ten functions. */
  readonly detectable?: number;
  readonly culprits: readonly Culprit[];
  readonly groups: readonly GroupShare[];
  readonly flags: readonly CpuFlag[];
  /** The same flags, each with its sentence. */
  readonly flagDetails?: readonly DataFlag[];
  /** Of each check that grew. */
  readonly leaveOnePodOut?: readonly LeftOutPod[];
}

/** What all checks together say. */
export interface GateJudgement extends Omit<CpuJudgement, 'reason' | 'checks'> {
  readonly reason: CpuReason | RequestReason | SourceReason;
  readonly checks: readonly (CpuCheck | RequestCheck)[];
  /** That were compared. */
  readonly requests?: { readonly baseline: number; readonly canary: number };
  readonly routes?: readonly RouteEffect[];
  /** Of an Inconclusive. */
  readonly wouldSettle?: readonly Settling[];
  readonly leaveOnePodOut?: readonly LeftOutPod[];
  /** Chance of a false Failed: what the gate allows, and what its checks that could be made may spend of it. */
  readonly falseFailureRate?: { readonly allowed: number; readonly spent: number };
}

export interface CpuSettings {
  /** Growth of one function that is tolerated, as a share of CPU (0.02 = 2 %). */
  readonly functionMargin: number;
  /** Chance that a harmless rollout is ever called Failed by the whole gate, all checks together. */
  readonly falseFailureRate: number;
  readonly minDurationMs: number;
  readonly deadlineMs: number;
  /** Windows of pods younger than this are left out, on both arms. */
  readonly warmUpMs: number;
  /** Least pods per arm; default 2, because one canary pod cannot be told from its version. */
  readonly minPods?: number;
  /** Largest share of lost samples, per arm; default 0.05. */
  readonly maxLossShare?: number;
  /** What the variance between pods is multiplied by, because placebo gates failed without it; default 1. */
  readonly podVarianceFactor?: number;
}
