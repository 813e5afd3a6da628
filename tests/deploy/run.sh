#!/bin/sh
# What tools/deploy ships, run with Debian's nginx, HAProxy and systemd. usage: run.sh WSD
here=$(dirname "$0")
PATH=$PATH:/usr/sbin
missing() { echo "missing: $1 (apt-get install nginx haproxy openssl systemd strace python3-websockets)"; exit 2; }
for tool in nginx haproxy openssl systemd-analyze strace; do
    command -v $tool > /dev/null || missing $tool
done
/usr/bin/python3 -c 'import websockets' 2> /dev/null || missing python3-websockets
status=0
for part in units proxies; do
    /usr/bin/python3 -B "$here/$part.py" "$@" || status=1
done
exit $status
