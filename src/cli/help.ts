/** What `flamegate --help` says: every command, option and exit code. */
export const HELP = `flamegate: CPU of Kubernetes' JVM services, compared (also: kubectl flamegate)

Usage
  flamegate status [--namespace NS | --all-namespaces]
                                              what is installed and how it works: controller, agents, policies, gates;
                                              what is wrong first, and what to do about it (-n, -A)
  flamegate gate list [--namespace NS | --all-namespaces]
                                              gates, their verdicts, and when those are expected
  flamegate report NAMESPACE/NAME             print a RegressionReport (-o json, -o yaml: for scripts)
  flamegate report NAMESPACE/NAME -o a.html   save its page: charts, diff flame graph, tables, in one file
  flamegate report NAMESPACE/NAME -o markdown for a pull request (-o a.md: into a file); -o junit (a.xml): for a CI
  flamegate report NAMESPACE/NAME --slow canary
                                              where its slow requests' time went, against normal ones: canary or baseline
  flamegate report NAMESPACE/NAME --slow canary -o a.html [--route "GET /orders/{id}"]
                                              and the flame graph of one route's, slow against normal
  flamegate report NAMESPACE/NAME --repo PATH [--baseline COMMIT] [--canary COMMIT]
                                              and which commits of a local clone touched the functions that grew; the
                                              commits are the report's, where pods are annotated with them
  flamegate record --pid PID -o a.pb.gz [--duration 30s] [--frequency 97]
                                              profile a process of this machine and all that it starts; or of a
                                              container (--container ID), or a command: record -o a.pb.gz -- java …
                                              pprof, or collapsed stacks where the file ends in .collapsed
  flamegate record --pod NAMESPACE/NAME -o a.pb.gz [--duration 30s]
                                              the same of a pod of the cluster, by its node's agent and the rate of its
                                              policy; needs no gate
  flamegate ui --namespace NS [--port 0]      gates, their history and the pages of their reports, in a browser
  flamegate ui --all-namespaces               the same of every namespace that you may read
  flamegate diff A B -o diff.html [--title TEXT]
                                              draw two profiles as one diff flame graph: pprof of any tool, or
                                              collapsed stacks
  flamegate diff A B --fail-on 1% [-o diff.html]
                                              and fail where a function has grown by more of all samples
  flamegate record --namespace NS --selector LABELS --duration 1h -o DIR [--interval 60s]
                                              record the windows of pods under a gate, for later replay
  flamegate top --pid PID [--every 5s] [--times N]
                                              the functions that take its CPU, as it runs (also --container ID)
  flamegate top --pod NAMESPACE/NAME [--times N]
                                              the same of a pod of the cluster, every ten seconds
  flamegate compare --baseline 'COMMAND' --canary 'COMMAND' [--load 'COMMAND'] [--fail-on 2%]
                                              start two builds in turn on this machine, profile both, again and
                                              again, until it is decided which function takes more CPU. Each run
                                              has a port of its own in PORT, for both commands
    --ready URL|5s    the service takes requests, "$PORT" is the run's; default: it listens on that port
    --warm-up 10s  --run 15s  --deadline 15m  --frequency 199  -o a.html
    -o text|json|markdown|junit [--page a.html]
  flamegate doctor                            what this machine, its JVMs and the cluster allow, and what to do about
                                              what is missing (exit code 4: it cannot work)
  flamegate noise DIR...                      what recordings of unchanged pods say about noise, as markdown
  flamegate replay DIR... [--baseline PODS --canary PODS]
                                              judge the evaluations of recordings again, or two arms of one
  flamegate replay --gate NAMESPACE/NAME      judge a gate's evaluations again, as far as the controller has windows
  flamegate replay --database FILE            the same, of a copy of the controller's windows.sqlite
  flamegate plan --gate NAMESPACE/NAME        what a certified gate sees with how many canary pods, and the steps
                                              of an Argo Rollout that give it the time
  flamegate plan DIR... [--baseline PODS] [--placebos 220]
                                              the same, certified from recordings of pods of one version
  flamegate gate wait NAMESPACE/NAME --canary HASH [--baseline HASH] [--timeout 1h] [--inconclusive fail|pass]
                                              until the gate has decided about that revision; its verdict is the
                                              exit code (-o json: with the checks, for scripts)
  flamegate gate wait NAMESPACE/NAME --canary-of rollout/NAME
                                              the same for what a deployment, statefulset or rollout rolls out now
  flamegate completion bash|zsh|fish          completes all of this: source <(flamegate completion bash)

Other settings (replay, plan of recordings); not given: the gate's own, or a gate's defaults
  --margin-p99 10%,2ms        a percentage, a latency, or of both the larger; also --margin-p50, --margin-p90,
                              --margin-p95, --margin-p99.9
  --margin-cpu 0.5%           of one function   --margin-errors 0.5%   --margin-cpu-per-request 10% (it decides then)
  --false-failure-rate 1%     --warm-up 2m      --min-duration 3m      --deadline 30m     --pod-variance-factor 1
  PODS                        how the names of an arm's pods begin: orders-654fcb74c6

Lists (status, gate list, top, doctor, replay, plan)
  --output table|json|yaml    default: table; of top JSON is a line each time, YAML a document (-o)

Stacks (report, diff)
  --raw               as they were sampled; default: coroutines, pipelines and threads folded, suspend functions
                      by their names in the source

Cluster (report, ui, record and top of pods, replay; status, doctor, plan, gate: the first two)
  --kubeconfig FILE   default: KUBECONFIG, then ~/.kube/config
  --context NAME      default: the current context
  --token TOKEN       shown to the controller; default: the kubeconfig's own. A kubeconfig with a client
                      certificate has none: then a ten-minute token of --service-account is asked for
  --service-account NS/NAME   default: flamegate-system/flamegate-viewer, which may read reports, no more

Exit codes
  0   done, or where a verdict is asked for: passed
  1   a regression (diff --fail-on, compare, gate wait, replay: of at least one evaluation; status: a gate says Failed;
      plan: placebos fail too often)
  2   the command line is wrong
  3   inconclusive: too few samples, nothing decided within --timeout or --deadline, or at least one evaluation stays undecided
  4   it did not work; the reason and its code are on standard error (doctor, status: something is broken)
`;
