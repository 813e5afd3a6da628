"""The man pages and the example configuration say what the program and the header say: no flag, key, default or
function more or less. The program in wsd(3) compiles. mandoc, where it is installed, finds nothing wrong in the pages.

usage: man_test.py WSD
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import Checks  # noqa: E402 (the path is set above)

WSD = sys.argv[1]
MAN = TOP / "tools" / "man"
checks = Checks()

COMMAND_LINE_ONLY = {"help", "version", "config", "check-config"}
# How --help puts it where there is no value that would say the same.
NO_DEFAULT = {None, "none", "any", "the fastest", "standard error", "who started it"}


class Flag:
    """A flag as --help lists it: `value` is empty for a switch, `default` is None without one."""

    def __init__(self, name, value, explanation):
        self.name, self.value = name, value
        default = re.search(r"\(([^):]+)(?:: off)?\)", explanation)
        self.default = "no" if not value else default[1] if default else None


def help_flags():
    text = subprocess.run([WSD, "--help"], capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  --([a-z0-9-]+)(?: ([A-Z]+))? +(.+)$", text, re.MULTILINE)
    return {name: Flag(name, value, explanation) for name, value, explanation in listed}


def same_names(where, got, expected):
    """Whether a page has exactly these names."""
    checks.equal(f"{where} names each once", sorted(got), sorted(set(got)))
    checks.equal(f"{where} has what there is, and nothing else", set(got), set(expected))


# ------------------------------------------------------------------------------------------------------------- pages

def test_wsd_1(flags):
    page = (MAN / "wsd.1").read_text()
    items = re.findall(r"^\.It Fl -([a-z0-9-]+)(?: Ar ([A-Z]+))?\n((?:(?!\.It|\.El).*\n)*)", page, re.MULTILINE)
    same_names("wsd.1", [name for name, _, _ in items], flags)
    for name, value, text in items:
        flag = flags[name]
        checks.equal(f"wsd.1: what --{name} takes", value, flag.value)
        if flag.value and flag.default is not None:
            checks.check(f"wsd.1: the default of --{name}", re.search(rf"\({re.escape(flag.default)}[): ]", text),
                         f"({flag.default}) is not in {text!r}")


def configurable(flags):
    return {name: flag for name, flag in flags.items() if name not in COMMAND_LINE_ONLY}


def test_wsd_conf_5(flags):
    rows = re.findall(r"^\.It Cm (\S+) Ta (\S+) Ta (.+)$", (MAN / "wsd.conf.5").read_text(), re.MULTILINE)
    same_names("wsd.conf.5", [name for name, _, _ in rows], flags)
    for name, value, default in rows:
        flag = flags[name]
        checks.equal(f"wsd.conf.5: the value of {name}", value, flag.value or "yes|no")
        said = "none" if flag.default in NO_DEFAULT else flag.default
        checks.equal(f"wsd.conf.5: the default of {name}", default, said)


def test_wsd_3():
    header = (TOP / "include" / "wsd.h").read_text()
    page = (MAN / "wsd.3").read_text()
    offered = set(re.findall(r"^WSD_API .*[ *](wsd_[a-z_0-9]*)\(", header, re.MULTILINE))
    named = set(re.findall(r"^\.Fn (wsd_[a-z_0-9]*)", page, re.MULTILINE))
    checks.equal("wsd.3 names every function of wsd.h, and no other", sorted(named), sorted(offered))
    listed = set(re.findall(r"^\.It Fa (on_\w+)", page, re.MULTILINE))
    callbacks = set(re.findall(r"^    wsd_on_\w+_fn (on_\w+);", header, re.MULTILINE))
    checks.equal("wsd.3 lists every callback", sorted(listed), sorted(callbacks))
    program = re.search(r"^\.Bd -literal.*\n((?:(?!\.Ed).*\n)*)", page[page.index(".Ss A program"):], re.MULTILINE)[1]
    compiled = subprocess.run([os.environ.get("CC", "cc"), "-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                               f"-I{TOP / 'include'}", "-x", "c", "-"], input=program, capture_output=True, text=True,
                              check=False)
    checks.check("the program in wsd.3 compiles", compiled.returncode == 0, compiled.stderr)


def test_lint():
    if not shutil.which("mandoc"):
        print("SKIP  mandoc -T lint: mandoc is not installed", flush=True)
        return
    for page in sorted(MAN.iterdir()):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True,
                              check=False)
        checks.check(f"mandoc -T lint {page.name}", done.returncode == 0, done.stdout)


# --------------------------------------------------------------------------------------------------------- wsd.conf

def test_example(flags):
    """tools/deploy/wsd.conf has every key, in a remark, with its default or else an example that could be used."""
    lines = (TOP / "tools" / "deploy" / "wsd.conf").read_text().splitlines()
    rows = [re.fullmatch(r"#([a-z0-9-]+) = (\S+)( +# example)?", line) for line in lines]
    rows = [row for row in rows if row]
    same_names("wsd.conf", [row[1] for row in rows], flags)
    checks.equal("wsd.conf sets nothing", [line for line in lines if line and line[0] != "#"], [])
    for row in rows:
        name, value, example = row.groups()
        flag = flags[name]
        checks.equal(f"wsd.conf: {name} is an example if it has no default", bool(example), flag.default in NO_DEFAULT)
        if not example:
            checks.equal(f"wsd.conf: the default of {name}", value, flag.default)
        if flag.value:
            done = subprocess.run([WSD, f"--{name}={value}", "--version"], capture_output=True, text=True, check=False)
            checks.check(f"wsd.conf: {name} = {value} is taken", done.returncode == 0, done.stderr)


def effective(*arguments):
    done = subprocess.run([WSD, *arguments, "--check-config"], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_example_as_file():
    shipped = TOP / "tools" / "deploy" / "wsd.conf"
    checks.equal("wsd.conf as it is changes nothing", effective(f"--config={shipped}"), effective())
    with tempfile.TemporaryDirectory() as folder:
        defaults = pathlib.Path(folder) / "wsd.conf"
        rows = re.findall(r"^#([a-z0-9-]+)( = \S+)$", shipped.read_text(), re.MULTILINE)
        defaults.write_text("".join(f"{key}{value}\n" for key, value in rows))
        checks.equal("the defaults of wsd.conf are those of wsd", effective(f"--config={defaults}"), effective())


def main():
    flags = help_flags()
    keys = configurable(flags)
    checks.attempt("wsd.1", test_wsd_1, flags)
    checks.attempt("wsd.conf.5", test_wsd_conf_5, keys)
    checks.attempt("wsd.3", test_wsd_3)
    checks.attempt("wsd.conf", test_example, keys)
    checks.attempt("wsd.conf as a file", test_example_as_file)
    checks.attempt("lint", test_lint)
    return checks.summary()


sys.exit(main())
