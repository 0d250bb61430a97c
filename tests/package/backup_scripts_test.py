"""The scripts of deploy/scripts: backup_scripts_test.py PROGRAM [TEST...]. With a node of the program, and, for what a node does not do on
demand (fail, or hand out a damaged file), with a stand-in of the command line."""

import os
import stat
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "process"))
from server import Server  # noqa: E402

PROGRAM = None
SCRIPTS = os.path.join(HERE, "..", "..", "deploy", "scripts")

# What the scripts ask of `concord`, done with files: a backup is good when it says so.
STAND_IN = r"""#!/bin/sh
echo "$*" >>"$CALLS"
case "$1 $2" in
  "backup create") [ ! -e "$CALLS.fails" ] || exit 6
    for word in "$@"; do path=$word; done
    cat "$CALLS.contents" >"$path/concord_backup_$(date +%s%N).backup" ;;
  "backup verify") grep -q good "$3" || { echo "$3 is damaged" >&2; exit 1; } ;;
  "backup cleanup") [ ! -e "$CALLS.removes_nothing" ] || exit 1
    echo 3 ;;
  "backup restore") echo "restored" ;;
  "cluster status") ;;
  *) exit 2 ;;
esac
"""


class ScriptTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="concord backups ")  # a place with a blank in its name
        self.addCleanup(directory.cleanup)
        self.place = directory.name
        self.dir = os.path.join(self.place, "kept here")
        self.calls = os.path.join(self.place, "calls")
        program = os.path.join(self.place, "concord")
        self.write(program, STAND_IN)
        os.chmod(program, 0o755)
        self.take("good")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
        self.environment = {**clean, "PATH": self.place + os.pathsep + clean["PATH"], "CALLS": self.calls, "CONCORD_BACKUP_DIR": self.dir}

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def take(self, contents):
        """What the next backups hold."""
        self.write(self.calls + ".contents", contents)

    def run_script(self, name, *arguments, **settings):
        return subprocess.run([os.path.join(SCRIPTS, name), *arguments], env={**self.environment, **settings}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60)

    def backup(self, **settings):
        done = self.run_script("backup.sh", **settings)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def refused(self, word, name="backup.sh", *arguments, **settings):
        done = self.run_script(name, *arguments, **settings)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(word, done.stdout)

    def kept(self):
        return sorted(name for name in os.listdir(self.dir) if name.endswith(".backup")) if os.path.isdir(self.dir) else []

    def asked(self, what):
        with open(self.calls, encoding="utf-8") as file:
            return [line for line in file.read().splitlines() if line.startswith(what)]


class BackupTest(ScriptTest):
    def test_a_backup_is_kept_for_its_owner_only(self):
        self.assertIn("backed up to", self.backup())
        (name,) = self.kept()
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.dir, name)).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.dir).st_mode), 0o700)
        self.assertEqual(set(os.listdir(self.dir)), {".lock", name})

    def test_what_is_damaged_or_was_not_taken_is_not_kept(self):
        self.take("bad")
        self.refused("is damaged")
        self.write(self.calls + ".fails", "")
        self.refused("no backup was taken")
        self.assertEqual(os.listdir(self.dir), [".lock"])

    def test_old_ones_are_removed_here_and_on_the_node(self):
        self.assertIn("removed 3 old", self.backup(CONCORD_BACKUP_KEEP_COUNT="5", CONCORD_BACKUP_KEEP_DAYS="30"))
        self.assertEqual(self.asked("backup cleanup"), [f"backup cleanup --path {self.dir} --keep-count 5 --keep-days 30 --output plain",
                                                       "backup cleanup --keep-count 5 --keep-days 30"])
        self.write(self.calls + ".removes_nothing", "")
        self.refused("old ones could not be removed")

    def test_a_copy_elsewhere_gets_the_file_and_its_failure_keeps_everything(self):
        elsewhere = os.path.join(self.place, "elsewhere")
        os.mkdir(elsewhere)
        self.backup(CONCORD_BACKUP_UPLOAD=f'cp "$1" "{elsewhere}/"')
        self.assertEqual(os.listdir(elsewhere), self.kept())
        asked = len(self.asked("backup cleanup"))
        self.refused("nothing was removed", CONCORD_BACKUP_UPLOAD="false")
        self.assertEqual(len(self.kept()), 2)
        self.assertEqual(len(self.asked("backup cleanup")), asked)

    def test_only_one_runs_at_a_time(self):
        slow = subprocess.Popen([os.path.join(SCRIPTS, "backup.sh")], env={**self.environment, "CONCORD_BACKUP_UPLOAD": "cat"},
                                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.addCleanup(slow.kill)
        while not self.kept():
            time.sleep(0.01)
        self.refused("is under way")
        slow.communicate()
        self.assertEqual(slow.returncode, 0)
        self.backup()

    def test_settings_that_make_no_sense_are_refused(self):
        self.refused("CONCORD_BACKUP_KEEP_COUNT", CONCORD_BACKUP_KEEP_COUNT="0")
        self.refused("CONCORD_BACKUP_KEEP_DAYS", CONCORD_BACKUP_KEEP_DAYS="a week")
        self.refused("takes no arguments", "backup.sh", "--keep-count")
        self.assertFalse(os.path.exists(self.calls))

    def test_a_token_comes_from_its_file_and_stands_on_no_command_line(self):
        token = os.path.join(self.place, "token")
        self.write(token, "sk_concord_secret\n")
        self.backup(CONCORD_TOKEN_FILE=token)
        self.assertFalse([line for line in self.asked("") if "sk_concord" in line])


class RestoreTest(ScriptTest):
    def test_the_newest_is_restored_after_a_backup_of_what_is_there(self):
        self.backup()
        self.backup()
        newest = os.path.join(self.dir, self.kept()[-1])
        done = self.run_script("restore.sh", "--force", "latest")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.asked("backup restore"), [f"backup restore {newest} --force"])
        self.assertEqual(len(os.listdir(os.path.join(self.dir, "before-restore"))), 1)

    def test_nothing_is_changed_unless_all_is_well(self):
        good, bad = os.path.join(self.place, "good.backup"), os.path.join(self.place, "bad.backup")
        self.write(good, "good")
        self.write(bad, "bad")
        self.refused("is no good backup", "restore.sh", "--force", bad)
        self.refused("there is no file", "restore.sh", "--force", "gone")
        os.mkdir(self.dir)
        self.refused("there is no backup", "restore.sh", "--force", "latest")
        self.refused("--force", "restore.sh", good)  # nobody can be asked
        self.write(self.calls + ".fails", "")
        self.refused("nothing was changed", "restore.sh", "--force", good)
        self.assertEqual(self.asked("backup restore"), [])
        done = self.run_script("restore.sh", "--force", good, CONCORD_BACKUP_BEFORE="no")
        self.assertEqual(done.returncode, 0, done.stdout)


class NodeTest(ScriptTest):
    """With the program itself."""

    def test_what_was_backed_up_comes_back(self):
        if b"concord backup create" not in subprocess.run([PROGRAM, "man"], capture_output=True, check=True).stdout:
            self.skipTest("this program has no subcommand backup")
        with Server(PROGRAM, os.path.join(self.place, "data")) as node:
            settings = {"CONCORD_PROGRAM": PROGRAM, "CONCORD_ENDPOINT": node.endpoint}
            self.assertEqual(node.cli("kv", "put", "kept", "1")[0], 0)
            self.backup(**settings)
            self.assertEqual(node.cli("kv", "put", "kept", "2")[0], 0)
            done = self.run_script("restore.sh", "--force", "latest", **settings)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertEqual(node.cli("kv", "get", "kept")[1], b"1\n")
            (before,) = os.listdir(os.path.join(self.dir, "before-restore"))
            done = self.run_script("restore.sh", "--force", os.path.join(self.dir, "before-restore", before), **settings)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertEqual(node.cli("kv", "get", "kept")[1], b"2\n")


def main():
    global PROGRAM
    PROGRAM = os.path.abspath(sys.argv[1])
    del sys.argv[1]
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
