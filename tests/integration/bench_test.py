"""The bench judged by what it must tell, not by its speed: figures, bars, and files that are left when a server fails.
usage: bench_test.py BUILD_DIR"""
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, ROOT + "/tests/bench")

import cells  # noqa: E402
import chart  # noqa: E402
import report  # noqa: E402
import run as bench  # noqa: E402
from cells import CELLS, Figure, chosen  # noqa: E402
from servers import Server  # noqa: E402

BUILD = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else ROOT + "/build"


def wsbench(server, *flags):
    run = subprocess.run([BUILD + "/wsbench", "--json", "--port", str(server.port), *flags],
                         capture_output=True, text=True, timeout=60)
    return run.returncode, json.loads(run.stdout) if run.stdout else run.stderr


def wsd(port, _):
    return [BUILD + "/wsd", "--port", port, "--access-log", "off"]


def wsd_publish(port, _):
    return [BUILD + "/peers/wsd_publish", port]


class Client(unittest.TestCase):
    def test_every_open_socket_is_upgraded_once(self):
        with Server(wsd) as server:
            status, told = wsbench(server, "--upgrade", "--conns", "300", "--server-pid", str(server.process.pid))
        self.assertEqual((status, told["upgrades"], told["lost"]), (0, 300, 0))
        self.assertGreater(told["server_us_per_connection"], told["server_us_per_upgrade"])

    def test_churn_loses_nobody(self):
        with Server(wsd) as server:
            status, told = wsbench(server, "--churn", "--conns", "8", "--secs", "1", "--warmup", "0")
        self.assertEqual((status, told["lost"]), (0, 0))
        self.assertGreater(told["upgrades"], 0)

    def test_a_publish_is_heard_by_all_as_it_was_said(self):
        for flight in ("1", "8"):
            with Server(wsd_publish) as server:
                status, told = wsbench(server, "--publish", flight, "--conns", "20", "--verify", "--messages", "30")
            self.assertEqual((status, told["lost"], told["messages"]), (0, 0, 30 * 20))

    def test_silent_connections_stay_silent(self):
        with Server(wsd) as server:
            status, told = wsbench(server, "--conns", "20", "--active", "3", "--messages", "5")
        self.assertEqual((status, told["messages"]), (0, 15))

    def test_flags_that_make_no_sense_together_are_told(self):
        with Server(wsd) as server:
            self.assertIn("--publish", wsbench(server, "--publish", "1", "--raw")[1])
            self.assertIn("--active", wsbench(server, "--active", "2", "--conns", "1")[1])


class Judgement(unittest.TestCase):
    VALUES = {"wsd": [90, 100, 110], "raw": [100, 100, 100], "uws": [100, 50, 100], "ws": [200, 99, 50]}

    def bars(self, figure):
        return {bar["beside"]: bar for bar in report.judged(figure, self.VALUES)}

    def test_a_ratio_is_the_median_of_those_of_each_round(self):
        self.assertAlmostEqual(report.median_ratio(self.VALUES["wsd"], self.VALUES["uws"]), 1.1)

    def test_bars_are_met_or_short_by_what_is_missing(self):
        bars = self.bars(Figure("x", "msg/s", bars=(("raw", ">=", 1.2), ("uws", ">=", 1.05))))
        self.assertFalse(bars["raw"]["met"])
        self.assertAlmostEqual(bars["raw"]["short_by"], 0.2)
        self.assertTrue(bars["uws"]["met"])

    def test_less_is_better_turns_the_bar_round(self):
        self.assertFalse(self.bars(Figure("x", "us", higher=False))["uws"]["met"])
        self.assertTrue(self.bars(Figure("x", "B", higher=False, bars=(("itself", "<=", 100),)))["itself"]["met"])

    def test_who_has_no_bar_has_to_be_behind(self):
        bars = self.bars(Figure("x", "msg/s"))
        self.assertEqual(set(bars), {"uws", "ws"})
        self.assertTrue(bars["ws"]["met"])

    def test_a_bar_beside_nobody_is_not_measured(self):
        bars = report.judged(Figure("x", "msg/s", bars=(("uws", ">=", 1),)), {"wsd": [1]})
        self.assertEqual(report.verdict({}, bars[0]), "not measured")

    def test_who_is_short_with_a_saturated_client_has_it_said(self):
        for figure, wsd, saturated, words in (
                (Figure("x", "msg/s"), 1, False, "short by 0.5"),
                (Figure("x", "msg/s"), 1, True, "short by 0.5, the client being saturated"),
                (Figure("x", "us", higher=False), 4, True, "short by 1")):
            row = {"better": "higher" if figure.higher else "lower", "servers": {"wsd": {"client_saturated": saturated}}}
            bars = report.judged(figure, {"wsd": [wsd], "uws": [2]})
            self.assertEqual(report.verdict(row, bars[0]), words)

    def test_a_bar_that_is_met_beside_a_saturated_client_has_it_said(self):
        row = {"better": "higher", "servers": {"wsd": {}, "uws": {"client_saturated": True}}}
        bars = report.judged(Figure("x", "msg/s"), {"wsd": [2], "uws": [1]})
        self.assertEqual(report.verdict(row, bars[0]), "met, the client being saturated")

    def test_noise_is_of_the_ratios_of_rounds(self):
        row = {"better": "higher", "servers": {"wsd": {"rounds": [9, 10, 10, 10, 11, 12]}, "uws": {"rounds": [10] * 5}}}
        bar = {"beside": "uws", "met": False, "measured": 0.99, "short_by": 0.01}
        self.assertAlmostEqual(report.noise(row, bar), 1.57 * (1.05 - 0.95) / math.sqrt(5))
        self.assertEqual(report.verdict(row, bar), "short by 0.01, within the noise")
        row["servers"]["uws"]["rounds"].pop()
        self.assertEqual(report.noise(row, bar), 0)
        self.assertEqual(report.verdict(row, bar), "short by 0.01")

    def test_every_group_has_a_title(self):
        self.assertEqual({c.group for c in CELLS} | {p[1] for p in cells.PROGRAMS}, set(report.TITLES))

    def test_everybody_begins_once_and_the_far_ones_take_part_in_fewer_rounds(self):
        cell = cells.echo("x", "")
        orders = [bench.turns(cell, number, 15) for number in range(15)]
        self.assertEqual({order[0] for order in orders[:7]} & set(cells.LIMIT), set(cells.LIMIT))
        for name in cell.servers:
            self.assertEqual(sum(name in order for order in orders), 15 if name in cells.LIMIT else 5)

    def test_slope(self):
        self.assertAlmostEqual(report.slope([(1000, 5), (10000, 10), (100000, 20)]), 2)

    def test_cells_are_chosen_by_group_or_name(self):
        self.assertEqual({cell.group for cell in chosen(["latency"], False)[0]}, {"latency"})
        self.assertEqual([cell.name for cell in chosen(["1 MiB binary"], True)[0]], ["1 MiB binary, 8 conns"])
        self.assertEqual(chosen(["no such"], False), ([], []))
        self.assertLess(len(chosen([], True)[0]), len(CELLS))


@unittest.skipUnless({0, 1} <= os.sched_getaffinity(0), "the bench needs the cores 0 and 1")
class Run(unittest.TestCase):
    def run_bench(self, out, **settings):
        environment = {**os.environ, "BENCH_OUT": out, "BENCH_ROUNDS": "1", "BENCH_SECS": "0.3", **settings}
        return subprocess.run([sys.executable, "-B", ROOT + "/tests/bench/run.py", BUILD], env=environment,
                              capture_output=True, text=True, timeout=120)

    def test_a_server_that_fails_is_named_and_the_rest_is_measured(self):
        with tempfile.TemporaryDirectory() as out:
            run = self.run_bench(out, BENCH_CELLS="20 B binary, depth 16", UWS_ECHO="/bin/false")
            self.assertEqual(run.returncode, 0, run.stderr)
            with open(out + "/bench.json") as found:
                data = json.load(found)
            self.assertIn("uws", data["left_out"][0]["name"])
            self.assertIn("share_of_raw", data["rows"][0]["servers"]["wsd"])
            with open(out + "/bench.md") as found:
                self.assertIn("| 20 B binary, depth 16 | uWS | ≥ 1.04 | - | not measured |", found.read())
            with open(out + "/bench.svg") as found:
                self.assertEqual(found.read(), chart.draw(data))

    def test_settings_that_are_wrong_are_told(self):
        for settings, words in (({"BENCH_CELLS": "no such"}, "BENCH_CELLS"), ({"BENCH_SECS": "x"}, "BENCH_SECS"),
                                ({"BENCH": "fast"}, "BENCH:")):
            run = self.run_bench("/nonexistent", **settings)
            self.assertEqual(run.returncode, 1)
            self.assertIn(words, run.stderr)


if __name__ == "__main__":
    unittest.main()
