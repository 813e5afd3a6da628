#!/bin/sh
# The daemon as a program: its flags, exit statuses, signals, listeners and log, what it tells whoever runs it, its
# configuration, its life as a process, and its hub. usage: daemon_test.sh WSD
/usr/bin/python3 -c 'import websockets' 2> /dev/null ||
    { echo "missing: python3-websockets (apt-get install python3 python3-websockets)"; exit 2; }
folder=$(dirname "$0")
status=0
for test in daemon admin process drain hub_entry hub_doors hub_talk hub_envelope hub_delivery hub_presence hub_vote \
    hub_control hub_api hub_serve hub_history hub_crash; do
    /usr/bin/python3 -B "$folder/${test}_test.py" "$@" || status=1
done
exit $status
