"""What the bench found, as JSON, Markdown and a chart, written anew after each cell so that a run that is cut short
leaves what it has. usage: report.py bench.json (writes the Markdown and the chart of a run anew)"""
import datetime
import json
import math
import os
import statistics
import sys

import chart
from cells import CELLS, PROGRAMS, RAW, UWS, WSD

# What else is kept of each server, where wsbench tells it.
ALSO_TOLD = ("server_cpu_percent", "client_cpu_percent", "server_us_per_message", "messages_per_s", "unanswered")

# Of a core: where neither side had as much, each waited for the other or somebody else was there.
BUSY_PERCENT = 85

TITLES = {
    "echo": "Echo, 100 connections where the cell does not say otherwise",
    "compressed": "Compressed echo, 100 connections, depth 1, no context takeover; everybody at its own default level "
                  "but where the cell says what wsd is told",
    "broadcast": "Broadcast",
    "handshakes": "Handshakes; npm ws before node has compiled much, libwebsockets with 256 KiB to receive a message in",
    "memory": "Memory of the process itself, a connection; libwebsockets with 256 KiB to receive a message in",
    "more": "More echoes",
    "latency": "Latency at a fixed rate, each message counted from when it was due",
    "growth": "Cost with more and more connections",
    "kernels": "Kernels by themselves",
    "rest": "The rest",
    "hub": "The hub",
}


def number(value):
    if value is None:
        return "-"
    if value == 0 or abs(value) >= 100:
        return "{:,.0f}".format(value)
    return "%.3g" % value


def ratios(over, under):
    return [a / b if b else math.inf for a, b in zip(over, under)]


def median_ratio(over, under):
    return statistics.median(ratios(over, under))


def noise(row, bar):
    """How far the median of other rounds like these would lie from this one, nineteen times of twenty: the notch of a
    box plot, 1.57 interquartile ranges by the root of the count. 0 where there are too few rounds to say."""
    own, other = (row["servers"].get(name, {}).get("rounds", []) for name in (WSD, bar["beside"]))
    values = ratios(own, other) if bar["beside"] != "itself" else own
    if len(values) < 5:
        return 0
    low, _, high = statistics.quantiles(values, n=4)
    return 1.57 * (high - low) / math.sqrt(len(values))


def judged(figure, values):
    """Each bar of a figure with what was measured; servers that no bar names have to be behind."""
    bars = {beside: (relation, value) for beside, relation, value in figure.bars}
    for name in values:
        if name not in (RAW, WSD) and name not in bars and "itself" not in bars:
            bars[name] = (">=", 1.0) if figure.higher else ("<=", 1.0)
    out = []
    for beside, (relation, value) in bars.items():
        named = beside in [bar[0] for bar in figure.bars]
        if WSD not in values or beside not in values and beside != "itself":
            out.append({"beside": beside, "relation": relation, "bar": value, "measured": None, "met": False,
                        "short_by": None, "named": named})
            continue
        own = values[WSD]
        got = statistics.median(own) if beside == "itself" else median_ratio(own, values[beside])
        met = got >= value if relation == ">=" else got <= value
        out.append({"beside": beside, "relation": relation, "bar": value, "measured": got, "met": met,
                    "short_by": 0 if met else abs(value - got), "named": named})
    return out


def compared(cell, figure, results):
    """A row of the report from what wsbench told in each round."""
    values = {name: [told[figure.key] for told in rounds] for name, rounds in results.items()}
    row = {"group": cell.group, "cell": cell.name, "figure": figure.name, "unit": figure.unit,
           "better": "higher" if figure.higher else "lower", "servers": {}}
    for name, rounds in results.items():
        server = {"median": statistics.median(values[name]), "rounds": values[name]}
        for key in ALSO_TOLD:
            if key in rounds[0]:
                server[key] = statistics.median(told[key] for told in rounds)
        server["client_saturated"] = sum(told.get("client_saturated", False) for told in rounds) * 2 > len(rounds)
        if name != RAW and RAW in values:
            server["share_of_raw"] = median_ratio(values[name], values[RAW])
        if name != WSD and WSD in values:
            server["wsd_over_it"] = median_ratio(values[WSD], values[name])
        row["servers"][name] = server
    row["bars"] = judged(figure, values)
    return row


def slope(points):
    """By which factor a cost grows when the count grows tenfold: the line through all points, both in logarithms."""
    xs, ys = [math.log10(x) for x, _ in points], [math.log10(y) for _, y in points]
    x_mean, y_mean = statistics.mean(xs), statistics.mean(ys)
    return 10 ** (sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys)) / sum((x - x_mean) ** 2 for x in xs))


def machine():
    with open("/proc/cpuinfo") as info:
        names = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    return {"cpu": names[0] if names else "unknown", "cores": os.cpu_count(),
            "kernel": os.uname().release.partition("-")[0], "load_at_the_start": round(os.getloadavg()[0], 2)}


class Report:
    def __init__(self, out, rounds, secs, missing):
        os.makedirs(out, exist_ok=True)
        self.out = out
        self.data = {"began": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
                     "machine": machine(), "rounds": rounds, "secs": secs, "missing": missing,
                     "rows": [], "slopes": [], "programs": [], "left_out": []}
        self.failed = False

    def add_cell(self, cell, results, failures):
        rows = [compared(cell, figure, results) for figure in cell.figures] if results else []
        self.data["rows"] += rows
        for row in rows:
            print(brief(row), flush=True)
        for name, why in failures.items():
            self.leave_out(cell.group, "%s, %s" % (cell.name, name), why, save=False)
            self.failed |= name in (RAW, WSD, "all")
        if cell.group == "growth":
            self.add_slopes()
        self.save()

    def add_slopes(self):
        counts = {cell.name: cell.conns for cell in CELLS if cell.group == "growth"}
        rows = [row for row in self.data["rows"] if row["group"] == "growth"]
        self.data["slopes"] = []
        for name in (WSD, RAW):
            points = [(counts[row["cell"]], row["servers"][name]["median"]) for row in rows if name in row["servers"]]
            if len(points) > 1 and all(y > 0 for _, y in points):
                self.data["slopes"].append({"what": "CPU a message, " + name, "times_for_tenfold": slope(points)})

    def add_program(self, name, group, lines):
        self.data["programs"].append({"name": name, "group": group, "lines": lines})
        print("%s: %d figures" % (name, len(lines)), flush=True)
        self.save()

    def leave_out(self, group, name, why, save=True):
        self.data["left_out"].append({"group": group, "name": name, "why": why})
        print("left out: %s: %s" % (name, why), flush=True)
        if save:
            self.save()

    def save(self):
        with open(self.out + "/bench.json.part", "w") as out:
            json.dump(self.data, out, indent=1)
            out.write("\n")
        os.replace(self.out + "/bench.json.part", self.out + "/bench.json")
        write_views(self.data, self.out)

    def end(self):
        self.save()
        bars = [bar for row in self.data["rows"] for bar in row["bars"] if bar["measured"] is not None]
        print("%d of %d bars met; %s/bench.md has all of it" % (sum(b["met"] for b in bars), len(bars), self.out))
        return 1 if self.failed else 0


def title(row):
    return row["cell"] + (": " + row["figure"] if row["figure"] else "")


def verdict(row, bar):
    if bar["measured"] is None:
        return "not measured"
    words = "met" if bar["met"] else "short by %s" % number(bar["short_by"])
    if not bar["met"] and bar["short_by"] < noise(row, bar):
        words += ", within the noise"
    # One of the two could have done more, how much is not known.
    spared = row["servers"].get(bar["beside"] if bar["met"] else WSD, {}).get("client_saturated", False)
    return words + (", the client being saturated" if spared and row["better"] == "higher" else "")


def beside_words(bar):
    return {"itself": "-", RAW: "raw TCP", UWS: "uWS"}.get(bar["beside"], bar["beside"])


def brief(row):
    """One line for who watches the run."""
    own = row["servers"].get(WSD)
    words = "%s: %s %s" % (title(row), number(own["median"]), row["unit"]) if own else title(row) + ": not measured"
    for bar in row["bars"]:
        if bar["measured"] is not None and (bar["named"] or not bar["met"]):
            words += "; %s %s (%s %s) %s" % (beside_words(bar).replace("-", "itself"), number(bar["measured"]),
                                             bar["relation"], number(bar["bar"]), verdict(row, bar))
    return words


def bar_lines(rows):
    """The table of what must be seen: the bars that cells name, and every other server that was ahead."""
    yield "| cell | beside | bar | measured | |"
    yield "|---|---|---|---|---|"
    for row in rows:
        for bar in row["bars"]:
            if bar["named"] or not bar["met"]:
                around = noise(row, bar) if bar["measured"] is not None else 0
                yield "| %s | %s | %s %s | %s | %s |" % (
                    title(row), beside_words(bar), {">=": "≥", "<=": "≤"}[bar["relation"]], number(bar["bar"]),
                    number(bar["measured"]) + (" ± %.2g" % around if around else ""), verdict(row, bar))
    others = [bar for row in rows for bar in row["bars"] if not bar["named"] and bar["measured"] is not None]
    if others:
        yield ""
        yield "Ahead of the other servers in %d of %d figures." % (sum(bar["met"] for bar in others), len(others))


def star(row, server):
    """Which side the figure is one of, where it is not the server's."""
    if server["client_saturated"]:
        return " *"
    busiest = max(server.get("server_cpu_percent", 100), server.get("client_cpu_percent", 100))
    return " ~" if busiest < BUSY_PERCENT and row["group"] != "latency" else ""


def cpu_words(server):
    if "server_cpu_percent" not in server:
        return "-"
    return "%.0f / %.0f" % (server["server_cpu_percent"], server["client_cpu_percent"])


def group_lines(rows):
    """A table of a group: wsd's figure, its share of raw TCP, and wsd's figure divided by each other server's."""
    names = []
    for row in rows:
        names += [name for name in row["servers"] if name not in names + [WSD]]
    yield "| cell | wsd | CPU %, server / client |" + "".join(" wsd / %s |" % name for name in names)
    yield "|---|---|---|" + "---|" * len(names)
    for row in rows:
        own = row["servers"].get(WSD)
        if not own:
            continue
        line = "| %s | %s %s%s | %s |" % (title(row), number(own["median"]), row["unit"], star(row, own), cpu_words(own))
        for name in names:
            server = row["servers"].get(name)
            line += " %s |" % (number(server.get("wsd_over_it")) + star(row, server) if server else "-")
        yield line


def markdown(data):
    yield "# Bench of %s" % data["began"]
    yield ""
    where = data["machine"]
    yield "%s, %d cores, Linux %s, load %s at the start. %d rounds of %s s a measurement, every server started" % (
        where["cpu"], where["cores"], where["kernel"], where["load_at_the_start"], data["rounds"], number(data["secs"]))
    yield "fresh and in turn; server on core 0, client on core 1. Ratios are medians of those of each round. Where a"
    yield "unit is us, B or CPU, less is better, and so is a ratio below 1. Marks of a figure, or of the server that it"
    yield "is compared with: * the client was saturated; ~ neither side was, as each waited for the other or somebody else"
    yield "had the cores. ± is how far the median of as many other rounds may lie from this one (95 %)."
    if any(row["bars"] for row in data["rows"]):
        yield from ("", "## Must be seen", "")
        yield from bar_lines(data["rows"])
    for group, words in TITLES.items():
        rows = [row for row in data["rows"] if row["group"] == group]
        programs = [program for program in data["programs"] if program["group"] == group]
        if rows or programs:
            yield from ("", "## " + words, "")
        if rows:
            yield from group_lines(rows)
        for row in data["slopes"] if group == "growth" else []:
            yield from ("", "%s: %.2f times as much for ten times as many." % (row["what"], row["times_for_tenfold"]))
        for program in programs:
            yield from ("", "```", "# " + program["name"], *program["lines"], "```")
    if data["left_out"] or data["missing"]:
        yield from ("", "## Left out", "")
        yield from ("- %s: %s" % pair for pair in data["missing"].items())
        yield from ("- %s: %s" % (left["name"], left["why"]) for left in data["left_out"])


def write_views(data, out):
    with open(out + "/bench.md", "w") as text:
        text.write("\n".join(markdown(data)) + "\n")
    with open(out + "/bench.svg", "w") as text:
        text.write(chart.draw(data))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: report.py bench.json")
    with open(sys.argv[1]) as source:
        write_views(json.load(source), os.path.dirname(os.path.abspath(sys.argv[1])))
