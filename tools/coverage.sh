#!/bin/sh
# Prints line coverage of src/ by floor and in all from gcov data. usage: coverage.sh BUILD_DIR
set -eu
build=${1:?usage: coverage.sh BUILD_DIR}
find "$build/src" -name '*.gcda' | sort | while read -r data; do
    gcov -n -o "$(dirname "$data")" "$data" 2> /dev/null
done | awk -F"'" '
    /^File / { file = $2 }
    /^Lines executed:/ && file ~ /^src\// {
        split($0, parts, /[:% ]+/); percent = parts[3]; total = parts[5]
        if (total > seen[file]) { seen[file] = total; hit[file] = percent * total / 100 }
        else if (total == seen[file] && percent * total / 100 > hit[file]) hit[file] = percent * total / 100
        file = ""
    }
    END {
        for (f in seen) {
            split(f, path, "/"); lines[path[2]] += seen[f]; hits[path[2]] += hit[f]; all += seen[f]; all_hits += hit[f]
            if (path[2] != "app") { library += seen[f]; library_hits += hit[f] }
            if (hit[f] / seen[f] < 0.9) printf "  %-36s %5.1f %%\n", f, 100 * hit[f] / seen[f]
        }
        for (floor in lines) printf "%-10s %5.1f %% of %d lines\n", floor, 100 * hits[floor] / lines[floor], lines[floor]
        printf "%-10s %5.1f %% of %d lines\n", "library", 100 * library_hits / library, library
        printf "%-10s %5.1f %% of %d lines\n", "all", 100 * all_hits / all, all
    }'
