#!/bin/sh
# Prints how many instructions one echo of 20 bytes costs a server in user space: a count, which no other load on the
# machine changes. A run of N messages and one of 2N on each connection differ by nothing else, so that starting,
# handshakes and stopping cancel out. usage: callgrind.sh BUILD_DIR; UWS_ECHO as for run.py, and wsd with compression
set -eu
build=${1:?usage: callgrind.sh BUILD_DIR}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null; rm -rf "$work"' EXIT
conns=10
messages=2000

free_port() {
    PYTHONPATH=$(dirname "$0") python3 -B -c 'import servers; print(servers.free_port())'
}

# instructions COMMAND MESSAGES DEPTH FLAGS: of a whole run. COMMAND is completed with a port.
instructions() {
    port=$(free_port)
    # Unquoted: the command is words.
    valgrind -q --tool=callgrind --callgrind-out-file="$work/out" $1 "$port" > "$work/log" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        "$build/wsbench" --port "$port" --conns "$conns" --messages "$2" --depth "$3" --size 20 $4 \
            > "$work/result" 2>&1 && break
        kill -0 "$server" || { cat "$work/log" >&2; return 1; }
        sleep 0.2  # it does not listen yet
    done
    kill -TERM "$server"
    # A server that does not catch the signal dies of it, its counts written all the same.
    wait "$server" 2> /dev/null || true
    server=
    sed -n 's/^\(summary\|totals\): *//p' "$work/out" | tail -1
}

report() {
    for depth in 1 16; do
        once=$(instructions "$2" "$messages" "$depth" "$3")
        twice=$(instructions "$2" $((2 * messages)) "$depth" "$3")
        echo "$1, depth $depth: $(((twice - once) / (messages * conns))) instructions an echo of 20 bytes"
    done
}

report raw "$build/peers/raw_echo" --raw
report wsd "$build/wsd --access-log off --port" ""
[ -z "${UWS_ECHO:-}" ] || report uws "$UWS_ECHO" ""
