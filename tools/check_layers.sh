#!/bin/sh
# Fails on an #include that crosses the floors the wrong way (README, "Architecture"). usage: check_layers.sh SRC
set -eu
src=${1:?usage: check_layers.sh SRC}

# floor: what it may include
allowed() {
    case $1 in
        base) echo base ;;
        net) echo base net ;;
        http) echo base http ;;
        deflate) echo base deflate ;;
        ws) echo base http deflate ws ;;
        server) echo base net http deflate ws server wsd.h ;;
        app) echo app wsd.h ;;
        *) echo ;;
    esac
}

bad=0
for file in $(find "$src" -name '*.h' -o -name '*.cpp' -o -name '*.inc' | sort); do
    floor=${file#"$src"/}
    floor=${floor%%/*}
    for include in $(sed -n 's/^ *# *include "\(.*\)".*/\1/p' "$file"); do
        target=${include%%/*}
        case " $(allowed "$floor") " in
            *" $target "*) ;;
            *) echo "$file: floor $floor may not include \"$include\""; bad=1 ;;
        esac
    done
    lines=$(wc -l < "$file")
    [ "$lines" -le 450 ] || { echo "$file: $lines lines, more than 450"; bad=1; }
done
[ "$bad" = 0 ] && echo "layers: ok"
exit "$bad"
