#!/bin/sh
# Prints line coverage of src/ by floor and in all from gcov data, and writes the lines that never ran to
# BUILD_DIR/uncovered. A line of a header ran if it did in any unit that includes it. usage: coverage.sh BUILD_DIR
set -eu
build=${1:?usage: coverage.sh BUILD_DIR}
find "$build/src" -name '*.gcda' | sort | while read -r data; do
    gcov -t -o "$(dirname "$data")" "$data" 2> /dev/null
done | awk -F: -v uncovered="$build/uncovered" '
    $2 ~ /^ *0$/ && $3 == "Source" { file = $4; next }
    file ~ /^src\// && NF >= 3 && $1 !~ /^ *-$/ && $2 ~ /^ *[0-9]+$/ {
        place = file ":" ($2 + 0)
        if (!(place in ran)) ran[place] = 0
        if ($1 !~ /[#=]/) ran[place] = 1
    }
    END {
        for (place in ran) {
            split(place, parts, "[/:]"); floor = parts[2]; file = place; sub(/:.*/, "", file)
            lines[floor]++; hits[floor] += ran[place]; all++; all_hits += ran[place]
            if (floor != "app") { library++; library_hits += ran[place] }
            seen[file]++; hit[file] += ran[place]
            if (!ran[place]) print place | ("sort -t: -k1,1 -k2,2n > " uncovered)
        }
        for (f in seen) if (hit[f] / seen[f] < 0.9) printf "  %-36s %5.1f %%\n", f, 100 * hit[f] / seen[f]
        for (f in lines) printf "%-10s %5.1f %% of %d lines\n", f, 100 * hits[f] / lines[f], lines[f]
        printf "%-10s %5.1f %% of %d lines\n", "library", 100 * library_hits / library, library
        printf "%-10s %5.1f %% of %d lines\n", "all", 100 * all_hits / all, all
    }'
