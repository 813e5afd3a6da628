#!/bin/sh
# The daemon as a program: its flags, exit statuses, signals, listeners and log, what it tells whoever runs it, its
# configuration and its life as a process. usage: daemon_test.sh WSD
[ -x /usr/bin/python3 ] || { echo "missing: python3 (apt-get install python3)"; exit 2; }
folder=$(dirname "$0")
status=0
for test in daemon admin process drain; do
    /usr/bin/python3 -B "$folder/${test}_test.py" "$@" || status=1
done
exit $status
