"""A server keeps to its own folder: not to one with other things in it, nor to one of another region or account."""
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
import unittest

from process import ROOT, Server, run

sys.path.insert(0, str(ROOT / "tests"))
from black_box.wire import ApiError, Wire, b64


KEYS = {"MILLRACE_ROOT_ACCESS_KEY": "AKIDEXAMPLE", "MILLRACE_ROOT_SECRET_KEY": "a-secret-of-the-tests"}


def until(holds, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Folder(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.data = pathlib.Path(self.scratch.name, "data")

    def served(self, *flags: str, env: dict[str, str] | None = None) -> Server:
        return Server("--journal-file-bytes", "1MiB", "--transition-ms", "20", *flags, data=str(self.data), env=env)

    def back_up(self, *flags: str) -> pathlib.Path:
        backups = pathlib.Path(self.scratch.name, "backups")
        with self.served(*flags, env=KEYS) as server:
            done = run("backup", str(backups), *flags, env={**KEYS, "MILLRACE_ENDPOINT": f"http://{server.address}"})
            self.assertEqual(done.returncode, 0, done.stderr)
        return backups

    def refused(self, *flags: str, says: str, data: pathlib.Path | None = None) -> None:
        before = contents(data or self.data)
        done = run("serve", "--listen", "127.0.0.1:0", "--data", str(data or self.data), *flags)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        errors = [json.loads(line)["error"] for line in done.stderr.splitlines() if '"cannot start"' in line]
        self.assertEqual(len(errors), 1, done.stderr)
        self.assertIn(says, errors[0])
        after = contents(data or self.data)
        after.pop("LOCK", None), before.pop("LOCK", None)
        self.assertEqual(after, before, "nothing is changed")


class OfOthers(Folder):
    def test_a_folder_with_other_things_is_refused_by_what_is_there(self):
        home = pathlib.Path(self.scratch.name, "home")
        for names, says in ((["a", "b"], "it has a, b. Name"), ([f"{i}" for i in range(5)], "it has 0, 1, 2 and 2 more. Name")):
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            for name in names:
                (home / name).write_text(name)
            self.refused(says=says, data=home)

    def test_the_parent_and_the_inside_of_a_data_folder_are_refused(self):
        with self.served() as server:
            self.assertEqual(server.stop(), 0)
        self.refused(says="it has data. Name", data=self.data.parent)
        self.refused(says="is no data folder", data=self.data / "log")

    def test_a_folder_of_backups_is_refused_and_the_newest_is_named(self):
        self.refused(says="is a folder of backups: name one of them, such as the newest", data=self.back_up())

    def test_what_a_new_folder_may_have_is_taken(self):
        self.data.mkdir()
        (self.data / "lost+found").mkdir()
        (self.data / "tls").mkdir()
        (self.data / ".snapshot").mkdir()
        with self.served() as server:
            self.assertEqual(server.stop(), 0)
        (self.data / "a note").write_text("a data folder is one, whatever people leave in it")
        with self.served() as server:
            self.assertEqual(server.stop(), 0)


class OfAnotherRegion(Folder):
    def test_region_and_account_stay_those_of_the_first_start(self):
        with self.served("--region", "eu-west-1", "--account-id", "123456789012") as server:
            self.assertEqual(server.stop(), 0)
        self.refused(says="is of region eu-west-1, and --region is us-east-1: start it with --region eu-west-1")
        self.refused("--region", "eu-west-1", says="is of account 123456789012, and --account-id is 000000000000")
        with self.served("--region", "eu-west-1", "--account-id", "123456789012") as server:
            self.assertEqual(server.stop(), 0)
        self.assertEqual(run("verify", str(self.data)).returncode, 0)

    def test_a_restored_folder_keeps_them_too(self):
        restored = pathlib.Path(self.scratch.name, "restored")
        self.assertEqual(run("restore", str(self.back_up("--region", "eu-west-1")), "--data", str(restored)).returncode, 0)
        self.refused(says="is of region eu-west-1", data=restored)

    def test_dumped_records_are_decrypted_with_the_regions_of_the_folder(self):
        with self.served("--region", "eu-west-1") as server:
            wire = Wire(f"http://{server.address}")
            wire.call("CreateStream", StreamName="s", ShardCount=1)
            wire.wait_active("s")
            wire.call("StartStreamEncryption", StreamName="s", EncryptionType="KMS", KeyId="alias/aws/kinesis")
            wire.wait_active("s")
            wire.call("PutRecord", StreamName="s", PartitionKey="k", Data=b64(b"hidden"))
            wire.close()
            self.assertEqual(server.stop(), 0)
        done = run("log", "dump", "--data", str(self.data))
        self.assertEqual((done.returncode, [json.loads(line)["Data"] for line in done.stdout.splitlines()]),
                         (0, [b64(b"hidden")]), done.stderr)


class OfATwin(Folder):
    def test_the_journal_of_a_copy_that_went_on_by_itself_is_refused(self):
        def put(text: str, data: pathlib.Path) -> None:
            with Server("--journal-file-bytes", "1MiB", data=str(data)) as server:
                wire = Wire(f"http://{server.address}")
                for number in range(5):
                    wire.call("PutRecord", StreamName="s", PartitionKey="k", Data=b64(f"{text} {number}".encode()))
                wire.close()
                self.assertEqual(server.stop(), 0)

        with self.served() as server:
            wire = Wire(f"http://{server.address}")
            wire.call("CreateStream", StreamName="s", ShardCount=1)
            wire.wait_active("s")
            wire.close()
            self.assertEqual(server.stop(), 0)
        twin = pathlib.Path(self.scratch.name, "twin")
        shutil.copytree(self.data, twin)
        put("one", self.data)
        put("two", twin)
        shutil.rmtree(self.data / "log/journal")
        shutil.copytree(twin / "log/journal", self.data / "log/journal")
        self.refused(says="it is of a copy of the folder that went on by itself")
        done = run("verify", str(self.data))
        self.assertEqual(done.returncode, 1)
        self.assertIn("log/journal/000 has another group", done.stdout + done.stderr)
        self.assertEqual(run("accept", "--give-up", str(self.data)).returncode, 0)
        with self.served() as server:
            server.stop()


class MovedAway(Folder):
    def test_a_folder_that_was_moved_away_is_not_made_anew(self):
        with self.served() as server:
            wire = Wire(f"http://{server.address}")
            wire.call("CreateStream", StreamName="before", ShardCount=1)
            wire.wait_active("before")
            elsewhere = pathlib.Path(self.scratch.name, "elsewhere")
            os.rename(self.data / "control/control", elsewhere)
            with self.assertRaises(ApiError):
                wire.call("CreateStream", StreamName="meanwhile", ShardCount=1)
            self.assertFalse((self.data / "control/control").exists())
            os.rename(elsewhere, self.data / "control/control")
            wire.call("CreateStream", StreamName="after", ShardCount=1)
            wire.wait_active("after")
            wire.close()
            self.assertEqual(server.stop(), 0)
        self.assertEqual(run("verify", str(self.data)).returncode, 0)
        with self.served() as server:
            wire = Wire(f"http://{server.address}")
            names = wire.call("ListStreams")["StreamNames"]
            wire.close()
            self.assertEqual([name for name in names if name != "meanwhile"], ["after", "before"])


class Removed(Folder):
    def test_a_file_that_the_next_start_needs_is_missed_while_the_server_runs(self):
        with self.served(env=KEYS) as server:
            for name in ("FOLDER", "keys/tokens"):
                with self.subTest(name):
                    elsewhere = pathlib.Path(self.scratch.name, "elsewhere")
                    until(lambda: server.get("/readyz")[0] == 200)
                    time.sleep(1.5)  # seen once
                    os.rename(self.data / name, elsewhere)
                    until(lambda: "data_folder_files" in server.get("/readyz")[2])
                    os.rename(elsewhere, self.data / name)
                    until(lambda: server.get("/readyz")[0] == 200)
            told = [line for line in server.stderr_lines if '"condition":"data_folder_files"' in line and '"error"' in line]
            self.assertIn(str(self.data / "FOLDER"), told[0])
            self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
