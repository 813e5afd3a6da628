#!/usr/bin/env python3
"""Speed and memory of ./wsd, as shares of what a plain TCP echo does on the same machine in the same run.

usage: tests/bench/run.py BUILD_DIR [CELL...]      a cell's name or the beginning of it; all without any

Environment:
  ROUNDS    rounds a cell (5); the figures are medians of the ratios of each round
  SECS      seconds a measurement (2)
  UWS_ECHO  a uWebSockets echo server, called with a port and perhaps "deflate", to be measured beside wsd
  WS_MODULE where npm's ws is installed, to be measured beside wsd where messages are compressed

Servers run on core 0, each started fresh and in turn; the client runs on core 1. A cell marked * had a client that was
saturated: the server could have done more.
"""
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import time

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECS = os.environ.get("SECS", "2")
UWS = os.environ.get("UWS_ECHO")
WS_MODULE = os.environ.get("WS_MODULE")

# name, flags for wsbench
CELLS = [
    ("20 B binary, depth 1, 100 conns", "--size 20"),
    ("125 B binary, depth 1, 100 conns", "--size 125"),
    ("1 KiB binary, depth 1, 100 conns", "--size 1024"),
    ("20 B binary, depth 16, 100 conns", "--size 20 --depth 16"),
    ("125 B non-ASCII text, depth 16, 100 conns", "--size 125 --depth 16 --utf8"),
    ("1 KiB non-ASCII text, depth 8, 100 conns", "--size 1024 --depth 8 --utf8"),
    ("1 KiB binary, depth 32, 100 conns", "--size 1024 --depth 32"),
    ("16 KiB binary, 100 conns", "--size 16384"),
    ("64 KiB binary, 100 conns", "--size 65536"),
    ("1 MiB binary, 8 conns", "--size 1048576 --conns 8"),
    ("1 MiB non-ASCII text, 8 conns", "--size 1048576 --conns 8 --utf8"),
]

DEFLATE_CELLS = [
    ("compressed JSON, 100 B, 100 conns", "--size 100 --json-text --deflate"),
    ("compressed JSON, 100 B, depth 16, 100 conns", "--size 100 --json-text --deflate --depth 16"),
    ("compressed JSON, 1 KiB, 100 conns", "--size 1024 --json-text --deflate"),
    ("compressed JSON, 16 KiB, 100 conns", "--size 16384 --json-text --deflate"),
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def servers():
    """What is measured: name, command for a port, flags for wsbench."""
    yield "raw", lambda port: [BUILD + "/raw_echo", str(port)], ["--raw"]
    yield "wsd", lambda port: [BUILD + "/wsd", "--port", str(port), "--access-log", "off"], []
    if UWS:
        yield "uws", lambda port: [UWS, str(port)], []


def deflate_servers():
    """The same where messages are compressed, each by itself."""
    yield "wsd", lambda port: [BUILD + "/wsd", "--port", str(port), "--access-log", "off"]
    if UWS:
        yield "uWS", lambda port: [UWS, str(port), "deflate"]
    if WS_MODULE:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ws_echo.cjs")
        yield "ws", lambda port: ["node", script, WS_MODULE, str(port)]


class Server:
    """A server on core 0 that listens when the block begins and is gone when it ends."""

    def __init__(self, command):
        self.port = free_port()
        self.process = subprocess.Popen(["taskset", "-c", "0"] + command(self.port), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def __enter__(self):
        for _ in range(500):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.01)
        sys.exit("a server did not start")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def rss(self):
        with open("/proc/%d/status" % self.process.pid) as status:
            return int(re.search(r"RssAnon:\s+(\d+)", status.read()).group(1)) * 1024

    def cpu_secs(self):
        with open("/proc/%d/stat" % self.process.pid) as stat:
            fields = stat.read().rpartition(")")[2].split()  # from the state on, the third
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wsbench(server, *flags):
    return ["taskset", "-c", "1", BUILD + "/wsbench", "--port", str(server.port)] + list(flags)


def measure(command, flags):
    with Server(command) as server:
        run = subprocess.run(wsbench(server, "--json", "--conns", "100", "--secs", SECS, "--server-pid",
                                     str(server.process.pid), *flags),
                             capture_output=True, text=True)
        return json.loads(run.stdout) if run.returncode == 0 else sys.exit(run.stderr)


def speed(cells):
    print("| cell | raw TCP msg/s | wsd share of raw |" + (" uWS share of raw | wsd / uWS |" if UWS else ""))
    print("|---|---|---|" + ("---|---|" if UWS else ""))
    for name, flags in cells:
        results = {}
        for _ in range(ROUNDS):
            for server, command, extra in servers():
                results.setdefault(server, []).append(measure(command, flags.split() + extra))

        def ratio(a, b):
            return statistics.median(x["messages_per_s"] / y["messages_per_s"] for x, y in zip(results[a], results[b]))

        saturated = sum(r["client_saturated"] for r in results["wsd"]) > ROUNDS / 2
        row = [name + (" *" if saturated else ""),
               "%.0f" % statistics.median(r["messages_per_s"] for r in results["raw"]), "%.3f" % ratio("wsd", "raw")]
        if UWS:
            row += ["%.3f" % ratio("uws", "raw"), "%.2f" % ratio("wsd", "uws")]
        print("| " + " | ".join(row) + " |", flush=True)


def deflate_speed(cells):
    """Messages/s where there is no raw TCP to compare with: beside other servers."""
    others = [name for name, _ in deflate_servers()][1:]
    print("| cell | wsd msg/s |" + "".join(" wsd / %s |" % name for name in others))
    print("|---|---|" + "---|" * len(others))
    for name, flags in cells:
        results = {}
        for _ in range(ROUNDS):
            for server, command in deflate_servers():
                results.setdefault(server, []).append(measure(command, flags.split())["messages_per_s"])
        row = [name, "%.0f" % statistics.median(results["wsd"])]
        row += ["%.2f" % statistics.median(a / b for a, b in zip(results["wsd"], results[other])) for other in others]
        print("| " + " | ".join(row) + " |", flush=True)


def bytes_a_connection(command, conns, *flags):
    """What the process's own memory grew by for each of so many connections that are open and at rest."""
    with Server(command) as server:
        before = server.rss()
        client = subprocess.Popen(wsbench(server, "--idle", "--conns", str(conns), "--json", "--secs", "60", *flags),
                                  stdout=subprocess.PIPE, text=True)
        client.stdout.readline()  # they are open
        time.sleep(3)  # wsd gives the blocks of large messages back when they have rested for a second or two
        grown = server.rss() - before
        client.kill()
        client.wait()
        return grown / conns


def memory():
    idle = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100, 19900)
    for name, command, _ in servers():
        if name == "raw":
            continue
        print("%s: %.0f bytes for each of %d idle connections" % (name, bytes_a_connection(command, idle), idle))
        if name == "wsd":
            print("%s: %.0f bytes for each with compression agreed to" %
                  (name, bytes_a_connection(command, idle, "--deflate")))
        print("%s: %.0f bytes kept for each of 1000 connections after a 256 KiB echo" %
              (name, bytes_a_connection(command, 1000, "--messages", "1", "--size", "262144")))


def heartbeat():
    """CPU time of two rounds of pings and pongs, at the interval that is the default."""
    idle = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100, 19900)
    command = dict((name, c) for name, c, _ in servers())["wsd"]
    with Server(command) as server:
        client = subprocess.Popen(wsbench(server, "--idle", "--conns", str(idle), "--json", "--secs", "61"),
                                  stdout=subprocess.PIPE, text=True)
        client.stdout.readline()  # they are open
        before = server.cpu_secs()
        lost = json.loads(client.communicate()[0].splitlines()[-1])["lost"]
        share = (server.cpu_secs() - before) / 61
        print("%d idle connections, a ping each 30 s: %.2f %% of a core for each 10,000, %d lost" %
              (idle, share * 100 * 10000 / idle, lost))


def half_heads():
    """Latency of others while thousands of clients never finish their request."""
    command = dict((name, c) for name, c, _ in servers())["wsd"]
    with Server(command) as server:
        def p99():
            run = subprocess.run(wsbench(server, "--json", "--conns", "100", "--secs", "4", "--rate", "2000"),
                                 capture_output=True, text=True)
            return json.loads(run.stdout)["p99_us"]
        alone = p99()
        client = subprocess.Popen(wsbench(server, "--half-heads", "--conns", "10000", "--json", "--secs", "14"),
                                  stdout=subprocess.PIPE, text=True)
        client.stdout.readline()  # they are open
        beside = p99()
        gone = json.loads(client.communicate()[0].splitlines()[-1])["lost"]
        print("10000 half heads: %d gone after the handshake timeout; p99 of 100 others beside them %.0f us, "
              "alone %.0f us" % (gone, beside, alone))


def main():
    wanted = sys.argv[2:]
    def chosen(cells):
        return [c for c in cells if not wanted or any(c[0].startswith(w) for w in wanted)]
    if chosen(CELLS):
        speed(chosen(CELLS))
    if chosen(DEFLATE_CELLS):
        deflate_speed(chosen(DEFLATE_CELLS))
    if not wanted:
        memory()
        heartbeat()
        half_heads()


if __name__ == "__main__":
    main()
