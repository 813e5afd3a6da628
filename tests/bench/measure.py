"""One measurement of one server: started fresh, loaded by wsbench from the other core, ended."""
import json
import resource
import subprocess
import time

from servers import CLIENT_CORE, SERVER_CORE, Failure, Server

WARMUP_SECS = 0.3
CONNECT_SECS = 60  # what a client may take for connecting, besides the time it measures
PROGRAM_SECS = 300
REST_SECS = 3  # after which wsd has given back what rests with it, as it does after a second or two
HEARTBEAT_SECS = 61  # two rounds of pings at the interval that is the default
HALF_HEAD_SECS = 14  # more than the handshake timeout that is the default


class Bench:
    """How long, and with which programs."""

    def __init__(self, build, secs):
        self.build = build
        self.secs = secs

    def command(self, server, *flags):
        return ["taskset", "-c", CLIENT_CORE, self.build + "/wsbench", "--json", "--port", str(server.port), *flags]

    def load(self, server, flags, secs=None):
        """Runs wsbench until its end; what it tells."""
        secs = secs or self.secs
        flags = flags.split()
        timed = [] if "--upgrade" in flags else ["--secs", str(secs), "--warmup", str(WARMUP_SECS)]
        conns = [] if "--conns" in flags else ["--conns", "100"]
        command = self.command(server, "--server-pid", str(server.process.pid), *timed, *conns, *flags)
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=CONNECT_SECS + 2 * secs)
        except subprocess.TimeoutExpired:
            raise Failure("the client did not come to its end") from None
        if run.returncode != 0:
            raise Failure((run.stderr.strip() or run.stdout.strip() or "the client failed").splitlines()[-1])
        return json.loads(run.stdout)


class Holding:
    """Connections that wsbench holds open while the block runs."""

    def __init__(self, bench, server, conns, secs, *flags):
        self.client = subprocess.Popen(bench.command(server, "--conns", str(conns), "--secs", str(secs),
                                                     "--source", "127.0.0.2-127.0.0.9", *flags),
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        if not self.client.stdout.readline():  # told when they are open
            self.__exit__()
            raise Failure(self.client.stderr.read().strip() or "the connections did not open")
        return self

    def __exit__(self, *_):
        self.client.kill()
        self.client.wait()

    def until_the_end(self):
        return json.loads(self.client.communicate()[0].splitlines()[-1])


def most_conns(cell):
    """As many as one process has descriptors for, a hundred left over."""
    return cell.conns or min(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100, 19900)


def measure_load(bench, cell, command, extra=""):
    with Server(command, cell.how) as server:
        return bench.load(server, (cell.flags + " " + extra).strip())


def measure_memory(bench, cell, command):
    """What the process's own memory grew by for each connection that is open and at rest."""
    conns = most_conns(cell)
    with Server(command, cell.how) as server:
        before = server.own_bytes()
        with Holding(bench, server, conns, 600, "--idle", *cell.flags.split()):
            time.sleep(REST_SECS)
            return {"bytes": (server.own_bytes() - before) / conns, "connections": conns}


def measure_heartbeat(bench, cell, command):
    conns = most_conns(cell)
    with Server(command) as server, Holding(bench, server, conns, HEARTBEAT_SECS, "--idle") as holding:
        before = server.cpu_secs()
        lost = holding.until_the_end()["lost"]
        share = (server.cpu_secs() - before) / HEARTBEAT_SECS
        return {"percent_per_10k": share * 100 * 10000 / conns, "connections": conns, "lost": lost}


def measure_half_heads(bench, cell, command):
    """Latency of others while thousands of clients never finish their request."""
    with Server(command) as server:
        def p99():
            return bench.load(server, "--rate 2000", secs=4)["p99_us"]
        alone = p99()
        with Holding(bench, server, cell.conns, HALF_HEAD_SECS, "--half-heads") as holding:
            beside = p99()
            gone = holding.until_the_end()["lost"]
        return {"p99_us": beside, "p99_alone_us": alone, "gone_after_the_timeout": gone}


def measure_program(bench, name, group, source_dir):
    """The lines of a program that measures by itself."""
    command = [source_dir + "/" + name, bench.build] if name.endswith(".sh") else [bench.build + "/" + name]
    cores = SERVER_CORE if group == "kernels" else "%s,%s" % (SERVER_CORE, CLIENT_CORE)
    run = subprocess.run(["taskset", "-c", cores] + command, capture_output=True, text=True, timeout=PROGRAM_SECS)
    if run.returncode != 0:
        raise Failure((run.stderr.strip() or "exit status %d" % run.returncode).splitlines()[-1])
    return run.stdout.splitlines()
