#!/bin/sh
# The daemon as a program: its flags, exit statuses, signals, listeners and log. usage: daemon_test.sh WSD
[ -x /usr/bin/python3 ] || { echo "missing: python3 (apt-get install python3)"; exit 2; }
exec /usr/bin/python3 -B "$(dirname "$0")/daemon_test.py" "$@"
