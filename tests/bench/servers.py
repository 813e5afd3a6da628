"""The servers that are compared: how each is started, and what the kernel knows of one that runs."""
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time

from cells import OTHERS, RAW, UWS, WSD

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER_CORE, CLIENT_CORE = "0", "1"
START_SECS = 10


class Failure(Exception):
    """A measurement that could not be made; the text says why in one line."""


def npm_ws():
    """Where npm's ws is, as WS_MODULE or the module path of node says; None if nowhere."""
    node = shutil.which("node")
    if not node:
        return None
    module = os.environ.get("WS_MODULE", "ws")
    found = subprocess.run([node, "-p", "require.resolve(process.argv[1])", module], capture_output=True, text=True)
    return os.path.dirname(found.stdout.strip()) if found.returncode == 0 else None


def find_servers(build):
    """What there is to compare with: commands by name, to be called with a port and how; and why others are not.

    how: empty, "deflate", "deflate 2" for wsd at that level, or "publish".
    """
    uws, module = os.environ.get("UWS_ECHO"), npm_ws()
    found, missing = {}, {}
    found[RAW] = lambda port, how: [build + "/peers/raw_echo", port]
    found[WSD] = lambda port, how: ([build + "/peers/wsd_publish", port] if how == "publish" else
                                    [build + "/wsd", "--port", port, "--access-log", "off"] +
                                    ["--deflate-level", "2"] * (how == "deflate 2"))
    if uws and os.access(uws, os.X_OK):
        found[UWS] = lambda port, how: [uws, port] + how.split()[:1]
    else:
        missing[UWS] = "UWS_ECHO names no echo server built with uWebSockets"
    for name in OTHERS:
        program = "%s/peers/%s_echo" % (build, name)
        if name != "ws" and os.path.exists(program):
            found[name] = lambda port, how, program=program: [program, port] + how.split()[:1]
        elif name != "ws":
            missing[name] = "its headers are not installed"
    if module:
        found["ws"] = lambda port, how: ["node", HERE + "/peers/ws_echo.cjs", module, port] + how.split()[:1]
    else:
        missing["ws"] = "npm's ws is not installed, and WS_MODULE does not say where it is"
    return found, missing


def free_port():
    """Below the ports that clients get: what is left of theirs would keep some servers from listening."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) != 0:
                return port


class Server:
    """A server on its core that listens when the block begins and is gone when it ends."""

    def __init__(self, command, how=""):
        self.port = free_port()
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(["taskset", "-c", SERVER_CORE] + command(str(self.port), how),
                                        stdout=subprocess.DEVNULL, stderr=self.log)

    def __enter__(self):
        give_up = time.monotonic() + START_SECS
        while time.monotonic() < give_up and self.process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.01)
        failure = Failure("it did not start: " + self.last_words())
        self.__exit__()
        raise failure

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def last_words(self):
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def own_bytes(self):
        """The memory that is the process's own: not that of files, nor the kernel's for its sockets."""
        with open("/proc/%d/status" % self.process.pid) as status:
            return int(re.search(r"RssAnon:\s+(\d+)", status.read()).group(1)) * 1024

    def cpu_secs(self):
        with open("/proc/%d/stat" % self.process.pid) as stat:
            fields = stat.read().rpartition(")")[2].split()  # from the state on, the third
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
