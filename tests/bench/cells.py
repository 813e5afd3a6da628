"""What is measured: the cells of the bench, which servers take part in each, and the bars that wsd has to reach.

A bar is (beside, relation, value): wsd's figure divided by that server's, or with "itself" wsd's own figure. Where no
bar names a server that takes part, wsd has to be ahead of it, but for raw TCP, which nothing can be ahead of.
"""
from dataclasses import dataclass, field

RAW, WSD, UWS = "raw", "wsd", "uws"
OTHERS = ("libwebsockets", "beast", "websocketpp", "ws")
LIMIT = (RAW, WSD, UWS)
EVERYBODY = LIMIT + OTHERS
WEBSOCKETS = (WSD, UWS) + OTHERS
SOURCES = "--source 127.0.0.2-127.0.0.9"


@dataclass
class Figure:
    """One number of a measurement that is compared, by its key in what wsbench tells."""
    key: str
    unit: str
    higher: bool = True  # is better
    bars: tuple = ()
    name: str = ""  # beside the cell's; empty where a cell has but one


@dataclass
class Cell:
    group: str
    name: str
    flags: str  # for wsbench
    figures: list
    servers: tuple = LIMIT
    how: str = ""  # what the server is told to do: see find_servers()
    kind: str = "load"  # or "latency", "memory", "heartbeat", "half heads"
    quick: bool = False  # also part of BENCH=quick
    once: bool = False  # one round is enough: bytes do not vary
    conns: int = 0  # of kinds other than "load"; 0: as many as descriptors allow
    raw_flags: str = field(default="--raw", repr=False)


def bars_of(raw=None, uws=None):
    return tuple((server, ">=", value) for server, value in ((RAW, raw), (UWS, uws)) if value is not None)


def echo(name, flags, raw=None, uws=None, group="echo", servers=EVERYBODY):
    """A cell of the table that must be seen: every server takes part."""
    return Cell(group, name, flags, [Figure("messages_per_s", "msg/s", bars=bars_of(raw, uws))], servers,
                quick=group == "echo")


def more(name, flags):
    """A cell of the rest: beside raw TCP and uWebSockets, without a bar of its own."""
    return echo(name, flags, group="more")


ECHO = [
    echo("20 B binary, depth 1", "--size 20", 0.98, 1.02),
    echo("125 B binary, depth 1", "--size 125", 0.98, 1.02),
    echo("1 KiB binary, depth 1", "--size 1024", 0.98, 1.02),
    echo("20 B binary, depth 16", "--size 20 --depth 16", 0.97, 1.04),
    echo("125 B binary, depth 16", "--size 125 --depth 16", 0.97, 1.04),
    echo("125 B non-ASCII, depth 16", "--size 125 --depth 16 --utf8", 0.93, 1.3),
    echo("1 KiB non-ASCII, depth 8", "--size 1024 --depth 8 --utf8", 0.92, 1.9),
    echo("1 KiB binary, depth 32", "--size 1024 --depth 32", None, 1.8),
    echo("16 KiB binary", "--size 16384", 0.95, 1.0),
    echo("16 KiB ASCII", "--size 16384 --text", 0.93, 1.1),
    echo("16 KiB non-ASCII", "--size 16384 --utf8", 0.85, 2.6),
    echo("64 KiB binary", "--size 65536", 0.95, 1.1),
    echo("64 KiB non-ASCII", "--size 65536 --utf8", 0.75, 3.0),
    echo("1 MiB binary, 8 conns", "--size 1048576 --conns 8", 0.80, 1.35),
    echo("1 MiB non-ASCII, 8 conns", "--size 1048576 --conns 8 --utf8", 0.62, 4.5),
]

MORE = [
    more("20 B ASCII, depth 16", "--size 20 --depth 16 --text"),
    more("20 B non-ASCII, depth 16", "--size 20 --depth 16 --utf8"),
    more("125 B ASCII, depth 16", "--size 125 --depth 16 --text"),
    more("125 B binary, depth 8", "--size 125 --depth 8"),
    more("125 B binary, depth 32", "--size 125 --depth 32"),
    more("1 KiB ASCII, depth 8", "--size 1024 --depth 8 --text"),
    more("64 KiB ASCII", "--size 65536 --text"),
    more("1 MiB ASCII, 8 conns", "--size 1048576 --conns 8 --text"),
    more("125 B binary, 1 conn, depth 1", "--size 125 --conns 1"),
    more("125 B binary, 1 conn, depth 32", "--size 125 --conns 1 --depth 32"),
    more("125 B binary, depth 1, 100 of 15,000 conns", "--size 125 --conns 15000 --active 100 " + SOURCES),
    more("1 KiB binary, depth 16, 100 of 15,000 conns",
         "--size 1024 --conns 15000 --active 100 --depth 16 " + SOURCES),
]
for cell in MORE:
    cell.servers = LIMIT


def compressed(name, how, servers, uws=None):
    return [Cell("compressed", "JSON of %s, %s" % (size, name), "--json-text --deflate --size %d" % number,
                 [Figure("messages_per_s", "msg/s", bars=bars_of(uws=uws))], servers, how=how, quick=uws is not None)
            for size, number in (("100 B", 100), ("1 KiB", 1024), ("16 KiB", 16384))]


DEFLATE = (compressed("compressed", "deflate", WEBSOCKETS, 1.5) +
           compressed("compressed at level 2", "deflate 2", (WSD, UWS)))

BROADCAST = [
    Cell("broadcast", "20 B to 1,000, %d in flight" % flight, "--conns 1000 --size 20 --publish %d" % flight,
         [Figure("messages_per_s", "deliveries/s", bars=bars_of(uws=1.0))], (WSD, UWS, "ws"), how="publish", quick=True)
    for flight in (1, 8, 32)
]

HANDSHAKES = [
    Cell("handshakes", "10,000 open sockets", "--upgrade --conns 10000 " + SOURCES,
         [Figure("upgrades_per_s", "upgrades/s", bars=bars_of(uws=1.1), name="upgrades"),
          Figure("server_us_per_connection", "us CPU", higher=False, bars=((UWS, "<=", 0.75),),
                 name="CPU per connect and upgrade")], WEBSOCKETS, quick=True),
    Cell("handshakes", "connect, upgrade, leave; 64 at a time", "--churn --conns 64 " + SOURCES,
         [Figure("upgrades_per_s", "connections/s"),
          Figure("server_us_per_connection", "us CPU", higher=False, name="CPU per connection")], WEBSOCKETS),
]

LATENCY = [
    Cell("latency", name + " at half of what raw TCP does", flags,
         [Figure(key, "us", higher=False, name=label)
          for key, label in (("p50_us", "p50"), ("p99_us", "p99"), ("p999_us", "p99.9"))], LIMIT, kind="latency")
    for name, flags in (("125 B binary", "--size 125"), ("16 KiB binary", "--size 16384"))
]

MEMORY = [
    Cell("memory", "idle connection", "",
         [Figure("bytes", "B", higher=False, bars=((UWS, "<=", 0.9),))], WEBSOCKETS, kind="memory", once=True,
         quick=True),
    Cell("memory", "idle connection that agreed to compression", "--deflate",
         [Figure("bytes", "B", higher=False)], (WSD, UWS, "ws"), how="deflate", kind="memory", once=True),
    Cell("memory", "kept after an echo of 256 KiB on each of 1,000", "--messages 1 --size 262144",
         [Figure("bytes", "B", higher=False, bars=(("itself", "<=", 1024),))], WEBSOCKETS, kind="memory", once=True,
         quick=True, conns=1000),
]

REST = [
    Cell("rest", "idle connections with a ping each 30 s", "",
         [Figure("percent_per_10k", "% of a core for 10,000", higher=False)], (WSD,), kind="heartbeat", once=True),
    Cell("rest", "100 conns beside 10,000 half heads", "",
         [Figure("p99_us", "us p99", higher=False),
          Figure("p99_alone_us", "us p99", higher=False, name="without them")], (WSD,), kind="half heads", once=True,
         conns=10000),
]

# The cost of a message with more and more silent connections: it should not grow.
GROWTH_CONNS = (1000, 5000, 19000)
GROWTH = [
    Cell("growth", "125 B, depth 4, 100 of %d conns" % conns,
         "--size 125 --depth 4 --active 100 --conns %d %s" % (conns, SOURCES),
         [Figure("server_us_per_message", "us CPU", higher=False)], (WSD, RAW), conns=conns)
    for conns in GROWTH_CONNS
]

CELLS = ECHO + DEFLATE + BROADCAST + HANDSHAKES + MEMORY + MORE + LATENCY + GROWTH + REST

# Programs that measure by themselves; each prints a line a figure. The group, whether it is quick.
PROGRAMS = [
    ("share_bench", "echo", False),
    ("kernels_bench", "kernels", True),
    ("frame_bench", "kernels", True),
    ("http_bench", "kernels", True),
    ("timer_bench", "kernels", True),
    ("deflate_bench", "kernels", False),
    ("inflate_bench", "kernels", False),
    ("publish_bench", "growth", False),
    ("fanout_bench", "growth", False),
    ("simulate_bench", "growth", False),
    ("budget_bench", "rest", False),
    ("store_bench", "hub", False),
    ("hub_bench", "hub", False),
    ("callgrind.sh", "rest", False),
]


def chosen(words, quick):
    """The cells and the programs that BENCH_CELLS names, by group or by a part of the name; all without any."""
    def wanted(group, name):
        return not words or any(word == group or word in name for word in words)
    cells = [cell for cell in CELLS if wanted(cell.group, cell.name) and (cell.quick or words or not quick)]
    programs = [p for p in PROGRAMS if wanted(p[1], p[0]) and (p[2] or words or not quick)]
    return cells, programs
