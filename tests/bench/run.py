#!/usr/bin/env python3
"""Speed and memory of wsd beside raw TCP and other servers, measured in one run.

usage: tests/bench/run.py BUILD_DIR

Environment:
  BENCH          quick: few cells, three rounds
  BENCH_CELLS    only these: groups (echo, compressed, broadcast, handshakes, memory, more, latency, growth, rest, hub,
                 kernels) or parts of names, with semicolons between
  BENCH_ROUNDS   rounds a cell (15; quick 3); others than raw TCP, wsd and uWebSockets take part in the first third,
                 as they are far behind, and in no less than five
  BENCH_SECS     seconds a measurement (0.4), after 0.3 seconds to warm up: short ones in many rounds, as what else the
                 machine does falls on neighbours alike then
  BENCH_MINUTES  when these are over (60; quick 10), what is left is left out
  BENCH_OUT      where bench.json, bench.md and bench.svg go (BUILD_DIR/bench), written anew after each cell
  UWS_ECHO       an echo server built with uWebSockets: UWS_ECHO PORT [deflate|publish] (see README)
  WS_MODULE      where npm's ws is, if node does not find it by its name

In every round of a cell each server is started fresh and in turn on core 0, another one first each time; the client
runs on core 1. Ratios are of the figures of one round, and medians of these are told. A * marks figures in which the
client was saturated, so that the server could have done more. Exit status 1 if wsd could not be measured somewhere.
"""
import os
import resource
import signal
import subprocess
import sys
import time

import cells as plan
import measure
from cells import LIMIT, RAW
from report import Report
from servers import HERE, Failure, find_servers

LEAST_ROUNDS = 5
LATENCY_LOAD = 0.5  # of what raw TCP does in the closed loop of the same round


def setting(name, default):
    text = os.environ.get(name, str(default))
    try:
        value = type(default)(text)
    except ValueError:
        value = 0
    return value if value > 0 else sys.exit("run.py: %s: not a number above 0: %s" % (name, text))


def measure_once(bench, cell, command, extra, rate):
    if cell.kind == "memory":
        return measure.measure_memory(bench, cell, command)
    if cell.kind == "heartbeat":
        return measure.measure_heartbeat(bench, cell, command)
    if cell.kind == "half heads":
        return measure.measure_half_heads(bench, cell, command)
    return measure.measure_load(bench, cell, command, "%s --rate %.0f" % (extra, rate) if rate else extra)


def turns(cell, number, rounds):
    """Who takes part in that round, in its order: a place in it is nobody's for long."""
    names = [n for n in cell.servers if n in LIMIT or number < max(LEAST_ROUNDS, rounds // 3)]
    first = number % len(names)
    return names[first:] + names[:first]


def measure_round(bench, cell, servers, names, results, failures):
    """Each server in turn; one that has failed is not asked again."""
    rate = 0
    if cell.kind == "latency":
        rate = LATENCY_LOAD * measure.measure_load(bench, cell, servers[RAW], "--raw")["messages_per_s"]
    for name in (n for n in names if n in servers and n not in failures):
        try:
            told = measure_once(bench, cell, servers[name], "--raw" if name == RAW else "", rate)
            results.setdefault(name, []).append(told)
        except (Failure, OSError, ValueError, KeyError) as failure:
            failures[name] = str(failure) or type(failure).__name__
            results.pop(name, None)  # a median of fewer rounds than the others' would not be of the same rounds


def conns_of(cell):
    words = cell.flags.split()
    return int(words[words.index("--conns") + 1]) if "--conns" in words else cell.conns


def measure_cell(bench, cell, rounds, servers):
    results, failures = {}, {}
    if conns_of(cell) + 100 > resource.getrlimit(resource.RLIMIT_NOFILE)[0]:
        return {}, {"all": "needs %d descriptors" % (conns_of(cell) + 100)}
    for number in range(1 if cell.once else rounds):
        try:
            measure_round(bench, cell, servers, turns(cell, number, rounds), results, failures)
        except (Failure, OSError) as failure:
            failures[RAW] = str(failure)
            break
    return results, failures


def prepare():
    """The same ground for every process that is started from here."""
    if not {0, 1} <= os.sched_getaffinity(0):
        sys.exit("run.py: needs the cores 0 and 1, one for the server and one for the client")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("run.py: ended by SIGTERM"))  # and so ends its servers


def run_cell(bench, report, cell, rounds, servers):
    report.add_cell(cell, *measure_cell(bench, cell, rounds, servers))


def run_program(bench, report, name, group):
    try:
        report.add_program(name, group, measure.measure_program(bench, name, group, HERE))
    except (Failure, OSError, subprocess.TimeoutExpired) as failure:
        report.leave_out(group, name, str(failure))


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__.strip())
    build = os.path.abspath(sys.argv[1])
    quick = os.environ.get("BENCH", "") == "quick"
    if os.environ.get("BENCH", "") not in ("", "quick"):
        sys.exit("run.py: BENCH: only \"quick\" has a meaning")
    rounds = setting("BENCH_ROUNDS", 3 if quick else 15)
    bench = measure.Bench(build, setting("BENCH_SECS", 0.4))
    until = time.monotonic() + 60 * setting("BENCH_MINUTES", 10 if quick else 60)
    words = [word.strip() for word in os.environ.get("BENCH_CELLS", "").split(";") if word.strip()]
    cells, programs = plan.chosen(words, quick)
    if not cells and not programs:
        sys.exit("run.py: BENCH_CELLS: no such cell or group: " + os.environ["BENCH_CELLS"])
    prepare()

    servers, missing = find_servers(build)
    report = Report(os.environ.get("BENCH_OUT") or build + "/bench", rounds, bench.secs, missing)
    for name, why in missing.items():
        print("%s is left out: %s" % (name, why))
    # What has to be seen comes first, in case the time does not last.
    steps = [(cell.group, cell.name, run_cell, (cell, rounds, servers)) for cell in cells if cell.quick]
    steps += [(group, name, run_program, (name, group)) for name, group, _ in programs]
    steps += [(cell.group, cell.name, run_cell, (cell, rounds, servers)) for cell in cells if not cell.quick]
    for group, name, run, arguments in steps:
        if time.monotonic() < until:
            run(bench, report, *arguments)
        else:
            report.leave_out(group, name, "out of time")
    sys.exit(report.end())


if __name__ == "__main__":
    main()
