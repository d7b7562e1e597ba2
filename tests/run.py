#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs every test and counts each one: tests/run.py BUILD_DIR [--only unit|asan|bpf|net|fuzz] [-v]

A test source without its program, a test that was planned and never reported, a crash, a sanitizer's report and a
program without tests are failures: nothing vanishes. The last line is "N passed, N failed, N skipped".
"""
import argparse
import contextlib
import ctypes
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIMEOUT_S = 240  # of one program
FUZZ_ARTIFACT = re.compile(r"Test unit written to \S+")
SANITIZER = re.compile(r"ERROR: (?:Address|Leak)Sanitizer|runtime error: ")
TAP_PLAN = re.compile(r"1\.\.(\d+)$")
TAP_RESULT = re.compile(r"(not ok|ok) (\d+)\b(?: - )?(.*)")
ON_TERMINAL = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
COLOURS = {"good": "32", "bad": "31", "warn": "33", "dim": "2", "bold": "1"}


def paint(colour, text):
    return f"\033[{COLOURS[colour]}m{text}\033[0m" if ON_TERMINAL else text


@dataclasses.dataclass
class Result:
    """What one program says of its tests."""

    passed: int = 0
    failed: list = dataclasses.field(default_factory=list)  # "name: why"
    skipped: list = dataclasses.field(default_factory=list)  # "name: why"
    output: str = ""

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def text(self):
        counts = [(self.passed, "passed"), (len(self.failed), "failed"), (len(self.skipped), "skipped")]
        return ", ".join(f"{n} {word}" for n, word in counts if n) or "nothing"


def stop(process):
    """Ctrl-C first, so that a test can take down what it has put up."""
    for how, patience_s in ((signal.SIGINT, 10), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, how)
            return process.communicate(timeout=patience_s)[0]
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return process.communicate()[0]


def execute(command, **environment):
    """Returns exit status (negative: the signal; None: timeout) and what was printed, both streams in order."""
    process = subprocess.Popen([str(word) for word in command], cwd=ROOT, env={**os.environ, **environment}, text=True,
                               errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output = process.communicate(timeout=TIMEOUT_S)[0]
        return process.returncode, output
    except subprocess.TimeoutExpired:
        return None, stop(process)
    except BaseException:
        stop(process)
        raise


def adopt_orphans():
    """What a test leaves behind becomes our child, not init's, so that it is found."""
    PR_SET_CHILD_SUBREAPER = 36
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children():
    """The processes whose parent we are, zombies reaped: pid and command line."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                yield int(stat.parent.name), (stat.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()


def end_leftovers(result):
    """A process that outlives its test is a failure. Killing one can orphan others: until none is left."""
    while left := list(children()):
        for pid, command in left:
            result.failed.append(f"left a process behind: {command or pid}")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def ending(status):
    """Why a program that reported no failure has failed all the same."""
    if status is None:
        return f"no end after {TIMEOUT_S} s"
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def read_tap(output, result):
    """cmocka's TAP: each group starts with its plan. What is planned and not reported has failed."""
    planned = reported = 0
    last_line = ""
    for line in output.splitlines():
        match = TAP_RESULT.match(line)
        if plan := TAP_PLAN.match(line):
            note_missing(planned, reported, result)
            planned, reported = int(plan[1]), 0
        elif match and int(match[2]) == reported + 1 <= planned:
            reported += 1
            note_result(match[1], match[3], last_line, result)
        last_line = line
    note_missing(planned, reported, result)


def note_result(verdict, text, line_before, result):
    name, skip, after = (part.strip() for part in text.partition("# SKIP"))
    if skip:
        result.skipped.append(f"{name or after}: {line_before.strip()}")
    elif verdict == "ok":
        result.passed += 1
    else:
        result.failed.append(name)


def note_missing(planned, reported, result):
    result.failed += [f"test {n} of {planned} did not report" for n in range(reported + 1, planned + 1)]


def run_cmocka(program, _arguments):
    result = Result()
    if not program.exists():
        result.failed.append(f"{program} is not built")
        return result
    status, result.output = execute([program], CMOCKA_MESSAGE_OUTPUT="TAP", ASAN_OPTIONS="detect_leaks=1",
                                    UBSAN_OPTIONS="print_stacktrace=1")
    read_tap(result.output, result)
    if report := SANITIZER.search(result.output):
        result.failed.append(report[0].strip(": "))
    elif status != 0 and not result.failed:
        result.failed.append(ending(status))
    elif not result.passed and not result.failed and not result.skipped:
        result.failed.append("no tests in it")
    return result


def read_junit(path, result):
    for case in ElementTree.parse(path).iter("testcase"):
        name = case.get("name")
        wrong = [child for child in case if child.tag in ("failure", "error")]
        skips = [child for child in case if child.tag == "skipped"]
        if wrong:
            result.failed.append(f"{name}: {(wrong[0].get('message') or '').partition(chr(10))[0]}")
        elif skips:
            result.skipped.append(f"{name}: {skips[0].get('message')}")
        else:
            result.passed += 1


def run_pytest(path, arguments):
    result = Result()
    with tempfile.TemporaryDirectory() as directory:
        xml = pathlib.Path(directory) / "junit.xml"
        status, result.output = execute([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=short",
                                         "-v" if arguments.verbose else "-q", f"--junitxml={xml}", path],
                                        XDPLIFE=str((arguments.build / "xdplife").resolve()),
                                        PYTHONDONTWRITEBYTECODE="1")
        if xml.exists():
            read_junit(xml, result)
    if status != 0 and not result.failed:
        result.failed.append(ending(status))
    return result


def start_fuzzer(program, seconds, output):
    """The corpus lasts from run to run; an input that breaks the target stays beside it."""
    corpus = program.parent / "corpus" / program.name
    corpus.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen([program, corpus, f"-max_total_time={seconds}", f"-artifact_prefix={corpus}-",
                             "-timeout=10", "-rss_limit_mb=1024"], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                            start_new_session=True)


def end_fuzzer(process, seconds, output):
    """Its time is up by itself; a target that goes on is stuck in an input."""
    result = Result()
    try:
        status = process.wait(timeout=seconds + TIMEOUT_S)
    except subprocess.TimeoutExpired:
        stop(process)
        status = None
    output.seek(0)
    result.output = output.read()
    found = FUZZ_ARTIFACT.search(result.output) or SANITIZER.search(result.output)
    if found or status != 0:
        result.failed.append(found[0] if found else ending(status))
    else:
        result.passed = 1
    return result


def run_fuzzers(arguments, total):
    """All at once, so that they take their time only once."""
    seconds = int(os.environ.get("FUZZ_SECONDS", "60"))
    print(paint("bold", f"fuzz: each target for {seconds} s, all at once"))
    start, running = time.monotonic(), []
    try:
        for program in programs("fuzz", arguments.build):
            output = tempfile.TemporaryFile("w+", errors="replace")  # a pipe would fill, and the target wait
            process = start_fuzzer(program, seconds, output) if program.exists() else None
            running.append((program, process, output))
        for program, process, output in running:
            result = end_fuzzer(process, seconds, output) if process else Result(failed=[f"{program} is not built"])
            report(program, result, time.monotonic() - start, arguments.verbose)
            total.add(result)
    finally:
        for _, process, output in running:
            if process and process.poll() is None:
                stop(process)
            output.close()


def programs(kind, build):
    """Found by their sources: a program that was not built is noticed, and one without a source is not run."""
    places = {"unit": ("tests/unit", build), "asan": ("tests/unit", build / "asan"), "bpf": ("tests/bpf", build),
              "fuzz": ("tests/fuzz", build)}
    if kind == "net":
        return sorted((ROOT / "tests/net").glob("test_*.py"))
    directory, under = places[kind]
    sources = sorted((ROOT / directory).glob("fuzz_*.c" if kind == "fuzz" else "test_*.c"))
    return [under / directory / source.stem for source in sources]


KINDS = {
    # kind: how to run one of its programs, does that need root, what it is
    "unit": (run_cmocka, False, "unit tests"),
    "asan": (run_cmocka, False, "unit tests under AddressSanitizer and UBSan"),
    "bpf": (run_cmocka, True, "BPF programs: bytes in, verdict and bytes out"),
    "net": (run_pytest, True, "real peers in network namespaces"),
}


def report(program, result, seconds, verbose):
    mark = paint("bad", "✘") if result.failed else paint("good", "✔") if result.passed else paint("warn", "-")
    print(f"  {mark} {program.stem:<28} {result.text():<36} {seconds:6.2f} s", flush=True)
    for reason in result.skipped:
        print(f"      {paint('warn', 'skipped')} {reason}")
    if result.failed or verbose:
        for line in result.output.splitlines():
            print(f"      {paint('dim', '|')} {line}")
    for reason in result.failed:
        print(f"      {paint('bad', 'failed')} {reason}")


def run_kind(kind, arguments, total):
    run, needs_root, what = KINDS[kind]
    print(paint("bold", f"{kind}: {what}"))
    for program in programs(kind, arguments.build):
        start = time.monotonic()
        if needs_root and os.geteuid() != 0:
            result = Result(skipped=[f"{program.stem}: it needs root"])
        else:
            result = run(program, arguments)
            end_leftovers(result)
        report(program, result, time.monotonic() - start, arguments.verbose)
        total.add(result)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="where make has put the programs")
    parser.add_argument("--only", choices=[*KINDS, "fuzz"], help="this kind of test")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what each program prints")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    return arguments


def main():
    arguments = parse_arguments()
    sys.stdout.reconfigure(errors="replace")  # a terminal without UTF-8 shows ? for a tick
    # A shell lets a background command ignore SIGINT, and what ignores it from birth hands that on: the tests need it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    adopt_orphans()
    total = Result()
    start = time.monotonic()
    for kind in [arguments.only] if arguments.only else [*KINDS, "fuzz"]:
        if kind == "fuzz":
            run_fuzzers(arguments, total)
        else:
            run_kind(kind, arguments, total)
    print(paint("dim", f"in {time.monotonic() - start:.0f} s"))
    if not total.passed:
        print(paint("bad", "nothing ran"))
    print(f"{total.passed} passed, {len(total.failed)} failed, {len(total.skipped)} skipped")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
