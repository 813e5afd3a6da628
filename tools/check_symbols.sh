#!/bin/sh
# Fails if the library needs anything but libc, or offers anything but wsd.h. usage: check_symbols.sh LIBWSD_A
set -eu
library=${1:?usage: check_symbols.sh LIBWSD_A}
header=$(dirname "$0")/../include/wsd.h
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

nm -u "$library" | sed -n 's/^ *U //p' | sort -u > "$work/needed"
nm --defined-only "$library" | awk 'NF == 3 {print $3}' | sort -u > "$work/defined"
comm -23 "$work/needed" "$work/defined" > "$work/foreign"

# Whatever a C program cannot get from libc shows when one is linked with nothing else.
sed 's/.*/extern char &;/' "$work/foreign" > "$work/probe.c"
awk '{print "char *p" NR " = &" $1 ";"}' "$work/foreign" >> "$work/probe.c"
echo 'int main(void) { return 0; }' >> "$work/probe.c"
grep -v '_GLOBAL_OFFSET_TABLE_' "$work/probe.c" > "$work/libc.c"
if ! ${CC:-cc} -w -fno-builtin -nodefaultlibs -o "$work/probe" "$work/libc.c" -lc 2> "$work/errors"; then
    echo "$library needs more than libc:"
    sed -n 's/.*undefined reference to /  /p' "$work/errors" | sort -u
    exit 1
fi

# Defined for others means documented for others.
nm --defined-only --extern-only "$library" | awk 'NF == 3 {print $3}' | grep '^wsd_' | sort -u > "$work/offered"
for name in $(cat "$work/offered"); do
    grep -q "\<$name(" "$header" || { echo "$name is exported and not in wsd.h"; exit 1; }
done
for name in $(sed -n 's/^WSD_API .*[ *]\(wsd_[a-z_0-9]*\)(.*/\1/p' "$header"); do
    grep -qx "$name" "$work/offered" || { echo "$name is in wsd.h and not in $library"; exit 1; }
done
echo "symbols: libc only, $(wc -l < "$work/offered") functions offered"
