#!/bin/bash
# Other people's clients against the daemon and its hub: npm's ws, python3-websockets and pages in headless Chromium.
# usage: run.sh WSD FANOUT
set -u
wsd=${1:?usage: run.sh WSD FANOUT}
fanout=${2:?usage: run.sh WSD FANOUT}
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

# start COMMAND...: a server that says on stderr where it listens; sets `url`.
start() {
    : > "$work/log"  # or the last server's log could pass for this one's
    "$@" 2> "$work/log" &
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
ws=$work/node_modules/ws
hub_key=a-key-of-this-run-and-of-no-other
echo_server=("$wsd" --port 0 --subprotocols chat.v1,chat.v2)

# deflate_clients MODE LABEL: those that say what they want of compression.
deflate_clients() {
    node "$here/ws_deflate.cjs" "$ws" "$url" "$@"
    /usr/bin/python3 "$here/websockets_deflate.py" "$url" "$@"
}

{
    start "${echo_server[@]}"
    node "$here/ws_client.cjs" "$ws" "$url"
    /usr/bin/python3 "$here/websockets_client.py" "$url"
    python3 "$here/chromium_page.py" "$url"
    deflate_clients echo "no takeover"
    stop_server

    start env WSD_KERNELS=scalar "${echo_server[@]}" --no-deflate
    /usr/bin/python3 "$here/websockets_client.py" "$url" | sed 's/websockets:/websockets, scalar kernels:/'
    stop_server

    start "${echo_server[@]}" --deflate-server-takeover --deflate-client-takeover
    deflate_clients echo "takeover"
    python3 "$here/chromium_page.py" "$url" | sed 's/chromium:/chromium, takeover:/'
    stop_server

    start "${echo_server[@]}" --deflate-level 2 --deflate-server-takeover --deflate-server-window-bits 9 \
        --deflate-client-window-bits 9
    deflate_clients echo "takeover to the client, windows of 9, level 2"
    python3 "$here/chromium_page.py" "$url" | sed 's/chromium:/chromium, windows of 9:/'
    stop_server

    start "$fanout"
    deflate_clients fanout "takeover"
    stop_server

    echo "$hub_key" > "$work/admin.key"
    start "$wsd" --port 0 --hub --admin-key-file "$work/admin.key" --max-connections-per-ip 0 \
        --connections-per-ip-minute 0 --messages-per-user-minute 0 --data "$work/data"
    node "$here/hub_client.cjs" "$ws" "$url" "$hub_key"
    python3 "$here/hub_pages.py" "$url" "$hub_key"
    stop_server
} > "$work/lines" 2>&1
cat "$work/lines"

passed=$(grep -c '^ok ' "$work/lines")
failed=$(grep -c '^FAIL ' "$work/lines")
# A client that ended before its last line has not passed.
[ "$passed" -ge 120 ] || [ "$failed" -gt 0 ] || { echo "FAIL  only $passed of 120 checks were made"; failed=1; }
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
