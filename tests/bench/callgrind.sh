#!/bin/sh
# Prints how many instructions one echo of 20 bytes costs the server in user space: a count, which no other load on the
# machine changes. usage: callgrind.sh BUILD_DIR
set -eu
build=${1:?usage: callgrind.sh BUILD_DIR}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Instructions of a whole run, and the calls of the function that sends: one for each message.
valgrind --tool=callgrind --callgrind-out-file="$work/out" "$build/wsd" --port 0 2> "$work/log" &
server=$!
until grep -q 'event=started' "$work/log"; do
    kill -0 "$server"
    sleep 0.1
done
port=$(sed -n 's/.*event=listening address=.*:\([0-9]*\)$/\1/p' "$work/log")
"$build/wsbench" --port "$port" --conns 100 --size 20 --secs 3 > /dev/null
kill -TERM "$server"
wait "$server"
total=$(sed -n 's/^summary: //p' "$work/out")
messages=$(awk '
    /^c?fn=\([0-9]+\) wsd_send$/ { id = $1; sub(/.*=/, "", id) }
    /^cfn=/ { callee = $1; sub(/.*=/, "", callee) }
    /^calls=/ && callee == id { split($1, call, "="); sum += call[2] }
    END { print sum }' "$work/out")
echo "instructions in user space for each echo of 20 bytes, 100 connections, depth 1: $((total / messages)) ($messages echoes)"
