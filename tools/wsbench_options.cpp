#include "wsbench_options.h"

#include <getopt.h>

#include <cstdio>
#include <cstdlib>

namespace tools {
namespace {

constexpr const char* kHelp =
    "usage: wsbench [flags]\n\n"
    "  --host ADDR --port N   the server (127.0.0.1, 9001)\n"
    "  --conns N              connections (100)\n"
    "  --size BYTES           of a message (20)\n"
    "  --depth N              messages in flight on a connection (1)\n"
    "  --binary, --text, --utf8\n"
    "                         what is sent: binary (default), ASCII text, text of 2- and 3-byte characters\n"
    "  --secs S --warmup S    how long to measure, after how long (3, 0.3)\n"
    "  --rate N               messages/s at fixed times, instead of as fast as echoes come back;\n"
    "                         latency then counts from when a message was due\n"
    "  --raw                  no WebSocket: the same bytes, to a plain TCP echo\n"
    "  --idle                 only hold the connections open for --secs\n"
    "  --half-heads           send half a request on each and wait for the server to end it\n"
    "  --server-pid PID       tell this process's CPU use, too\n"
    "  --json                 print JSON\n";

}  // namespace

Options parse_options(int argc, char** argv) {
    enum {
        kHost = 1,
        kPort,
        kConns,
        kSize,
        kDepth,
        kBinary,
        kText,
        kUtf8,
        kSecs,
        kWarmup,
        kRate,
        kRaw,
        kIdle,
        kHalf,
        kPid,
        kJson,
        kUsage
    };
    static const option kLong[] = {
        {"host", 1, nullptr, kHost},     {"port", 1, nullptr, kPort},       {"conns", 1, nullptr, kConns},
        {"size", 1, nullptr, kSize},     {"depth", 1, nullptr, kDepth},     {"binary", 0, nullptr, kBinary},
        {"text", 0, nullptr, kText},     {"utf8", 0, nullptr, kUtf8},       {"secs", 1, nullptr, kSecs},
        {"warmup", 1, nullptr, kWarmup}, {"rate", 1, nullptr, kRate},       {"raw", 0, nullptr, kRaw},
        {"idle", 0, nullptr, kIdle},     {"half-heads", 0, nullptr, kHalf}, {"server-pid", 1, nullptr, kPid},
        {"json", 0, nullptr, kJson},     {"help", 0, nullptr, kUsage},      {nullptr, 0, nullptr, 0}};
    Options o;
    for (int flag; (flag = getopt_long(argc, argv, "", kLong, nullptr)) != -1;) {
        switch (flag) {
            case kHost: o.host = optarg; break;
            case kPort: o.port = uint16_t(std::atoi(optarg)); break;
            case kConns: o.conns = std::atoi(optarg); break;
            case kSize: o.size = size_t(std::atoll(optarg)); break;
            case kDepth: o.depth = std::atoi(optarg); break;
            case kBinary: o.kind = 'b'; break;
            case kText: o.kind = 't'; break;
            case kUtf8: o.kind = 'u'; break;
            case kSecs: o.secs = std::atof(optarg); break;
            case kWarmup: o.warmup = std::atof(optarg); break;
            case kRate: o.rate = std::atof(optarg); break;
            case kRaw: o.raw = true; break;
            case kIdle: o.idle = true; break;
            case kHalf: o.half_heads = true; break;
            case kPid: o.server_pid = std::atoi(optarg); break;
            case kJson: o.json = true; break;
            case kUsage: std::fputs(kHelp, stdout); std::exit(0);
            default: std::exit(2);
        }
    }
    if (optind < argc || o.conns < 1 || o.depth < 1 || o.port == 0) {
        std::fputs("wsbench: a flag is out of range (see --help)\n", stderr);
        std::exit(2);
    }
    return o;
}

}  // namespace tools
