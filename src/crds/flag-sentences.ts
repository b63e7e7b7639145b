/** What a report's flags mean for its reader; none of them changes a verdict. */
export const FLAG_SENTENCES: Readonly<Record<string, string>> = {
  AssumedVariance:
    'few baseline pods; how far pods of one version differ in CPU rests in part on an assumption.',
  ProfilingFlagsDiffer:
    'the JVMs were not started with the same profiling flags, which changes what is seen of them.',
  Throttled: 'an arm waited for its CPU limit; its times are of the limit as much as of the code.',
  WarmUpExcluded: 'windows of young pods were left out, as duration.warmUp asks.',
  UnequalLoad:
    'a pod of one arm burnt over 1.3 times what one of the other did; fixed work weighs more where there is less to do.',
  OnePod: 'one canary pod carries most of a growth; replace it or add others before blaming the version.',
  PodVarianceInflated: 'the variance between pods is multiplied, because placebo gates failed without it.',
};
