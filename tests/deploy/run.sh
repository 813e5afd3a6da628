#!/bin/sh
# What tools/deploy ships, run with Debian's nginx, HAProxy and systemd. usage: run.sh WSD
missing() { echo "missing: $1 (apt-get install nginx haproxy openssl systemd python3-websockets)"; exit 2; }
for tool in nginx haproxy openssl systemd-analyze; do
    PATH=$PATH:/usr/sbin command -v $tool > /dev/null || missing $tool
done
/usr/bin/python3 -c 'import websockets' 2> /dev/null || missing python3-websockets
PATH=$PATH:/usr/sbin exec /usr/bin/python3 -B "$(dirname "$0")/run.py" "$@"
