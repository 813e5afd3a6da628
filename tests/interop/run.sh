#!/bin/bash
# Other people's clients against the daemon: npm's ws, python3-websockets and a page in headless Chromium.
# usage: run.sh WSD
set -u
wsd=${1:?usage: run.sh WSD}
ws_version=8.23.0
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
server=
exec 3>&2  # where what ends the script is said, whatever its output goes to
trap 'stop_server; rm -rf "$work"' EXIT

stop_server() {
    [ -z "$server" ] || { kill "$server" 2> /dev/null; wait "$server"; }
    server=
}

# start_server [NAME=VALUE...]: sets `url`.
start_server() {
    : > "$work/log"  # or the last server's log could pass for this one's
    env "$@" "$wsd" --port 0 --subprotocols chat.v1,chat.v2 2> "$work/log" &
    server=$!
    until grep -q 'event=started' "$work/log"; do
        kill -0 "$server" 2> /dev/null || { cat "$work/log" >&3; echo "the server did not start" >&3; exit 1; }
        sleep 0.05
    done
    url=ws://$(sed -n 's/.*event=listening address=//p' "$work/log")/
}

missing() { echo "missing: $1 (apt-get install nodejs npm chromium python3-websockets)"; exit 2; }
for tool in npm node chromium; do
    command -v $tool > /dev/null || missing $tool
done
websockets_version=$(/usr/bin/python3 -c 'import websockets; print(websockets.__version__)' 2> /dev/null) ||
    missing python3-websockets

npm install --silent --no-audit --no-fund --prefix "$work" ws@$ws_version > "$work/npm" 2>&1 ||
    { cat "$work/npm"; exit 2; }
echo "ws $ws_version on node $(node --version), websockets $websockets_version, $(chromium --version 2> /dev/null)"
{
    start_server
    node "$here/ws_client.cjs" "$work/node_modules/ws" "$url"
    /usr/bin/python3 "$here/websockets_client.py" "$url"
    python3 "$here/chromium_page.py" "$url"
    stop_server
    start_server WSD_KERNELS=scalar
    /usr/bin/python3 "$here/websockets_client.py" "$url" | sed 's/websockets:/websockets, scalar kernels:/'
    stop_server
} > "$work/lines" 2>&1
cat "$work/lines"

passed=$(grep -c '^ok ' "$work/lines")
failed=$(grep -c '^FAIL ' "$work/lines")
# A client that ended before its last line has not passed.
[ "$passed" -ge 30 ] || [ "$failed" -gt 0 ] || { echo "FAIL  only $passed of 30 checks were made"; failed=1; }
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
