#!/bin/sh
# What `make install` leaves is enough to build a program, statically, dynamically and with wsd.hpp, and
# `make uninstall` leaves nothing.
set -eu
cd "$(dirname "$0")/../.."
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
make -s install PREFIX=/usr DESTDIR="$root"
cat > "$root/app.c" << 'END'
#include <stdio.h>
#include <wsd.h>
int main(void) {
    wsd_callbacks callbacks = {.size = sizeof callbacks};
    wsd_server *server;
    if (wsd_server_new(NULL, &callbacks, &server) != WSD_OK) return 1;
    if (wsd_server_listen(server, "127.0.0.1:0") < 0) return 1;
    printf("%s\n", wsd_version());
    return wsd_server_free(server);
}
END
cat > "$root/app.cpp" << 'END'
#include <cstdio>
#include <wsd.hpp>
int main() {
    wsd::Server server;
    if (wsd::Server::create({}, {}, &server) != wsd::Result::kOk) return 1;
    if (server.listen("127.0.0.1:0") != wsd::Result::kOk) return 1;
    std::puts(wsd_version());
}
END
version=$(sed -n 's/^Version: //p' "$root/usr/lib/pkgconfig/wsd.pc")
cc -std=c99 -I"$root/usr/include" "$root/app.c" "$root/usr/lib/libwsd.a" -o "$root/static"
cc -std=c99 -I"$root/usr/include" "$root/app.c" -L"$root/usr/lib" -lwsd -o "$root/dynamic"
c++ -std=c++20 -I"$root/usr/include" "$root/app.cpp" "$root/usr/lib/libwsd.a" -o "$root/wrapped"
[ "$("$root/static")" = "$version" ]
[ "$("$root/wrapped")" = "$version" ]
[ "$(LD_LIBRARY_PATH="$root/usr/lib" "$root/dynamic")" = "$version" ]
[ "$("$root/usr/bin/wsd" --version)" = "wsd $version" ]
readelf -d "$root/usr/lib/libwsd.so" | grep -q "SONAME.*libwsd.so.${version%%.*}"
for page in 1/wsd.1 3/wsd.3 5/wsd.conf.5; do
    cmp "tools/man/${page#*/}" "$root/usr/share/man/man$page"
done
make -s uninstall PREFIX=/usr DESTDIR="$root"
left=$(find "$root/usr" -type f -o -type l)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
echo "install: ok"
