"""Runs a document's ```console blocks as one session: session.py DOCUMENT PROGRAM

One bash runs all the "$ command" lines in order, in an empty directory; what a command prints must be the lines that follow it. Lines
that begin with "> " belong to the command before them. The ports that the document names, 40xx and 91xx, are replaced by free ones; so is
4000, which everybody means who names none. What the session started is ended with it.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))
from cluster import free_ports  # noqa: E402

MARK = "-- end of the command --"
LONGEST_S = 120


def commands(text):
    """(command, what it prints) of each."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for command, continued, printed in re.findall(r"^\$ (.*\n)((?:> .*\n)*)((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            yield command + re.sub(r"^> ", "", continued, flags=re.MULTILINE), printed


def with_free_ports(text):
    """The text with other ports, and the one that stands for 4000."""
    names = sorted({*re.findall(r"\b(?:40|91)\d\d\b", text), "4000"})
    ports = dict(zip(names, map(str, sorted(free_ports(len(names)))), strict=True))  # in the order that the names have
    return re.sub(r"\b(?:40|91)\d\d\b", lambda name: ports[name.group()], text), ports["4000"]


class Session:
    def __init__(self, program, directory, default_port):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
        clean |= {"CONCORD_API_PORT": default_port, "CONCORD_ENDPOINT": f"http://127.0.0.1:{default_port}"}
        clean["PATH"] = os.path.dirname(program) + os.pathsep + clean["PATH"]
        self.directory = directory
        # The shell tells there of jobs that were killed.
        self.errors = open(os.path.join(directory, "errors.log"), "w", encoding="utf-8")
        self.shell = subprocess.Popen(["bash", "--norc"], cwd=directory, env=clean, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=self.errors, text=True, start_new_session=True)

    def run(self, command):
        """What it prints. Whoever hangs is ended, and the output so far tells where."""
        watchdog = threading.Timer(LONGEST_S, self.end)
        watchdog.start()
        try:
            self.shell.stdin.write(f"{command}\necho; echo '{MARK}'\n")  # what it prints may lack a line's end
            self.shell.stdin.flush()
            printed = ""
            for line in self.shell.stdout:
                if line == MARK + "\n":
                    return printed
                printed += line
            raise AssertionError(f"the session ended in: {command}\n{printed}")
        finally:
            watchdog.cancel()

    def end(self):
        os.killpg(self.shell.pid, signal.SIGKILL)

    def logs(self):
        for name in sorted(os.listdir(self.directory)):
            if name.endswith(".log"):
                with open(os.path.join(self.directory, name), encoding="utf-8") as log:
                    print(f"--- {name}\n{log.read()[-4000:]}")


def main(document, program):
    with open(document, encoding="utf-8") as file:
        text, default_port = with_free_ports(file.read())
    todo = list(commands(text))
    assert todo, f"{document} has no commands"
    directory = tempfile.mkdtemp(prefix="concord-session-")
    session = Session(os.path.abspath(program), directory, default_port)
    try:
        for command, expected in todo:
            printed = session.run(command)
            assert printed.strip() == expected.strip(), f"{command}\nprints {printed!r}\ninstead of {expected!r}"
    except BaseException:
        session.logs()
        raise
    finally:
        session.end()
        session.shell.wait()
        session.errors.close()
        shutil.rmtree(directory, ignore_errors=True)
    print(f"{len(todo)} commands print what {os.path.basename(document)} says")


main(*sys.argv[1:])
