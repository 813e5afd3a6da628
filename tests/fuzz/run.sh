#!/bin/sh
# Runs each fuzz target for some seconds, from the corpus that earlier runs left. Non-zero on a finding, whose input is
# then kept beside the corpus. usage: run.sh DIR SECONDS TARGET...
set -eu
dir=${1:?usage: run.sh DIR SECONDS TARGET...}
seconds=${2:?usage: run.sh DIR SECONDS TARGET...}
shift 2
failed=0
for target in "$@"; do
    mkdir -p "$dir/corpus/$target"
    if "$dir/$target" -max_total_time="$seconds" -timeout=10 -print_final_stats=1 -artifact_prefix="$dir/$target-" \
        "$dir/corpus/$target" > "$dir/$target.log" 2>&1; then
        echo "ok    $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/$target.log") inputs"
    else
        echo "FAIL  $target"
        tail -n 40 "$dir/$target.log"
        failed=1
    fi
done
exit $failed
