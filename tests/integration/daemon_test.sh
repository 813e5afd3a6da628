#!/bin/sh
# The daemon as a program: its flags, exit statuses, signals, listeners and log, then what it tells whoever runs it.
# usage: daemon_test.sh WSD
[ -x /usr/bin/python3 ] || { echo "missing: python3 (apt-get install python3)"; exit 2; }
here=$(dirname "$0")
status=0
/usr/bin/python3 -B "$here/daemon_test.py" "$@" || status=1
/usr/bin/python3 -B "$here/admin_test.py" "$@" || status=1
exit $status
