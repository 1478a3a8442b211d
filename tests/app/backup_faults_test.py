"""What people do to backups, and where they point the commands: each is refused, or mended, and said."""
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

from process import BINARY, ROOT, Server, environment, run

sys.path.insert(0, str(ROOT / "tests"))

from black_box.wire import Wire, b64  # noqa: E402
from crash.small_folder import call  # noqa: E402

KEYS = {"MILLRACE_ROOT_ACCESS_KEY": "AKIDMILLRACETESTS001",
        "MILLRACE_ROOT_SECRET_KEY": "an example secret of the tests, 0123456789"}
TABLE = {"AttributeDefinitions": [{"AttributeName": "leaseKey", "AttributeType": "S"}],
         "KeySchema": [{"AttributeName": "leaseKey", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}


def fill(server: Server, name: str) -> None:
    """Something new in each part: records, a user with a key, a table, a master key."""
    env = {**KEYS, "MILLRACE_ENDPOINT": f"http://{server.address}"}
    wire = Wire(f"http://{server.address}")
    wire.call("CreateStream", StreamName=name, ShardCount=1)
    wire.wait_active(name)
    wire.call("StartStreamEncryption", StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    wire.wait_active(name)
    wire.call("PutRecord", StreamName=name, PartitionKey="key", Data=b64(name.encode()))
    assert run("admin", "user", "add", name, env=env).returncode == 0
    assert run("admin", "key", "create", name, env=env).returncode == 0
    call(wire, "dynamodb", "CreateTable", TableName=name, **TABLE)
    call(wire, "kms", "CreateKey")


def take_backup(server: Server, backups: pathlib.Path, *flags: str) -> subprocess.CompletedProcess:
    return run("backup", str(backups), *flags, env={**KEYS, "MILLRACE_ENDPOINT": f"http://{server.address}"})


def picture(folder: pathlib.Path) -> dict:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def flip(path: pathlib.Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def drop(path: pathlib.Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


class Scratch(unittest.TestCase):
    def setUp(self) -> None:
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="millrace-faults-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.data = str(self.root / "data")
        self.backups = self.root / "backups"

    def refused(self, done: subprocess.CompletedProcess, *words: str, code: int = 1) -> None:
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def good(self, done: subprocess.CompletedProcess) -> None:
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class RestoreChecks(Scratch):
    @classmethod
    def setUpClass(cls) -> None:
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="millrace-faults-"))
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        for folder, names in (("own", ("one", "two")), ("other", ("alien",))):
            with Server(env=KEYS, data=str(cls.shared / f"{folder}-data")) as server:
                for name in names:
                    fill(server, name)
                    done = take_backup(server, cls.shared / folder)
                    assert done.returncode == 0, done
                if folder == "own":
                    done = take_backup(server, cls.shared / "own")
                    assert done.returncode == 0, done

    def changes(self):
        """Each part of the backup removed, older, and of another folder; and single objects and bytes."""
        backup = self.shared / "own/000002"
        parts = ["FOLDER", "keyring", "keys", "keys/tokens", "keys/identities", "log", "log/journal", "log/segments", "log/manifest",
                 *(f"control/{chain}" for chain in sorted(os.listdir(backup / "control")))]
        for part in parts:
            if not (backup / part).exists():
                continue
            yield f"{part} missing", lambda copy, part=part: drop(copy / part)
            for what, source in (("older", self.shared / "own/000001"), ("foreign", self.shared / "other/000001")):
                if (part, what) == ("log/journal", "older"):
                    continue  # the journal of each backup is empty: it is as good
                if (source / part).is_dir() and picture(source / part) != picture(backup / part) or \
                        (source / part).is_file() and (source / part).read_bytes() != (backup / part).read_bytes():
                    yield f"{part} {what}", lambda copy, part=part, source=source: (
                        drop(copy / part), subprocess.run(["cp", "-a", source / part, copy / part], check=True))
        for chain in sorted(os.listdir(backup / "control")):
            newest = max((path for path in (backup / "control" / chain).rglob("*") if path.is_file()),
                         key=lambda path: path.name)
            yield f"last of {chain} missing", lambda copy, path=newest.relative_to(backup): drop(copy / path)
        for segment in sorted((backup / "log/segments").iterdir()):
            yield f"{segment.name} flipped", lambda copy, name=segment.name: flip(copy / "log/segments" / name, 40)
            yield f"{segment.name} missing", lambda copy, name=segment.name: drop(copy / "log/segments" / name)
        yield "keyring flipped", lambda copy: flip(copy / "keyring", 20)
        yield "several parts missing", lambda copy: [drop(copy / part) for part in
                                                     ("control/identity", "control/leases", "keys")]

    def test_an_incomplete_or_mixed_backup_is_not_restored_and_each_gap_is_named(self):
        copy, new = self.root / "copies/000002", self.root / "new"
        copy.parent.mkdir()
        count = 0
        for what, change in self.changes():
            with self.subTest(what):
                shutil.rmtree(copy, ignore_errors=True)
                shutil.rmtree(new, ignore_errors=True)
                subprocess.run(["cp", "-a", self.shared / "own/000002", copy], check=True)
                change(copy)
                verified = run("verify", str(copy))
                self.assertEqual(verified.returncode, 1, verified.stdout)
                refused = run("restore", str(copy.parent), "--data", str(new))
                self.refused(refused, "--with-losses", "nothing was restored")
                for line in verified.stdout.splitlines()[:-1]:
                    self.assertIn(line, refused.stderr)
                self.assertFalse(new.exists())
                count += 1
        self.assertGreater(count, 25)

    def test_with_losses_it_is_restored_and_a_start_still_says_what_is_missing(self):
        copy, new = self.root / "copies/000002", self.root / "new"
        copy.parent.mkdir()
        subprocess.run(["cp", "-a", self.shared / "own/000002", copy], check=True)
        drop(copy / "control/leases")
        restored = run("restore", str(copy.parent), "--data", str(new), "--with-losses")
        self.good(restored)
        self.assertIn("control/leases", restored.stderr)
        self.refused(run("serve", "--data", str(new), "--listen", "127.0.0.1:0"), "control/leases")
        self.good(run("accept", str(new), "--give-up"))
        with Server(env=KEYS, data=str(new)) as server:
            self.assertTrue(any("given up by millrace accept: control/leases" in line for line in server.stderr_lines))

    def test_with_losses_nothing_is_made_to_look_whole(self):
        copy, new = self.root / "copies/000002", self.root / "new"
        copy.parent.mkdir()
        for what, change in self.changes():
            with self.subTest(what):
                shutil.rmtree(copy, ignore_errors=True)
                shutil.rmtree(new, ignore_errors=True)
                subprocess.run(["cp", "-a", self.shared / "own/000002", copy], check=True)
                change(copy)
                restored = run("restore", str(copy.parent), "--data", str(new), "--with-losses")
                if what in ("log missing", "log/manifest missing"):
                    self.refused(restored, "no manifest", "is an unfinished restore")
                    continue
                self.good(restored)
                self.assertIn("problems of the backup are in it", restored.stdout)
                # The journal of a backup is empty, and a restore makes one.
                self.assertEqual(run("verify", str(new)).returncode, 0 if what.startswith("log/journal") else 1)

    def test_a_whole_one_is_restored_and_is_whole(self):
        for number in ("1", "2", "3"):
            new = str(self.root / f"new-{number}")
            self.good(run("restore", str(self.shared / "own"), "--backup", number, "--data", new))
            self.good(run("verify", new))
            self.assertFalse(os.path.exists(new + "/RESTORE"))

    def test_an_unfinished_restore_is_named_as_one_and_not_served(self):
        new = self.root / "new"
        self.good(run("restore", str(self.shared / "own"), "--data", str(new)))
        (new / "RESTORE").write_text("")
        again = run("restore", str(self.shared / "own"), "--data", str(new))
        self.refused(again, "is an unfinished restore: remove it")
        served = run("serve", "--data", str(new), "--listen", "127.0.0.1:0")
        self.assertNotEqual(served.returncode, 0)
        self.assertIn("an unfinished restore", served.stderr)
        verified = run("verify", str(new))
        self.assertEqual(verified.returncode, 1)
        self.assertIn("an unfinished restore", verified.stdout)

    def test_a_restore_that_fails_half_way_leaves_a_folder_that_says_so(self):
        new = self.root / "new"
        done = subprocess.run([BINARY, "restore", str(self.shared / "own"), "--data", str(new)], capture_output=True, text=True,
                              timeout=60, env=environment(), check=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
        self.refused(done, "millrace: restore: ", "is an unfinished restore: it may be removed")
        self.assertTrue((new / "RESTORE").exists())

    def test_a_single_backup_is_named_by_its_number(self):
        self.refused(run("restore", str(self.shared / "own/000001"), "--data", str(self.root / "new")), "is no folder of backups", "--backup")

    def test_a_folder_with_something_in_it_is_left_as_it_is(self):
        for place in (self.shared / "own-data", self.shared / "own/000001/new", self.shared / "own-data/new"):
            self.refused(run("restore", str(self.shared / "own"), "--data", str(place)))
        self.assertFalse((self.shared / "own/000001/new").exists())
        self.assertFalse((self.shared / "own-data/new").exists())

    def test_an_empty_name_is_no_folder(self):
        for line in (("restore", str(self.shared / "own"), "--data", ""), ("restore", "", "--data", str(self.root / "new")),
                     ("verify", ""), ("log", "verify", ""), ("accept", ""), ("log", "dump", ""), ("log", "dump", "", "--data"),
                     ("log", "skip", "", "1", "1"), ("backup", "")):
            done = run(*line, env=KEYS, cwd=str(self.root))
            self.refused(done, 'is "": must be a folder', code=2)
        self.assertEqual(os.listdir(self.root), [])

    def test_numbers_and_sizes_are_named_with_their_range(self):
        for flags, words in ((("backup", "b", "--bytes-per-s", "x"), ("--bytes-per-s", '"x"', "0 to 1TiB")),
                             (("backup", "b", "--bytes-per-s", "-1"), ("--bytes-per-s", '"-1"', "0 to 1TiB")),
                             (("backup", "b", "--keep", "0"), ("--keep", "0", "100000")),
                             (("restore", "b", "--data", "d", "--backup", "-1"), ("--backup", "-1", "999999999")),
                             (("restore", "b", "--data", "d", "--backup", "0"), ("--backup", "0", "999999999"))):
            done = run(*flags, env=KEYS, cwd=str(self.root))
            self.refused(done, *words, code=2)
            self.assertNotIn("18446744073709551615", done.stderr)

    def test_commands_that_are_given_a_folder_of_backups_name_the_newest(self):
        folder = str(self.shared / "own")
        for line in (("verify", folder), ("accept", folder), ("log", "verify", folder), ("log", "dump", folder),
                     ("log", "dump", folder, "--data"), ("log", "skip", folder, "00000000000000000001.mrs", "40")):
            with self.subTest(line):
                self.refused(run(*line), "is a folder of backups", "own/000003")


class BackupChecks(Scratch):
    def test_a_linked_segment_that_is_damaged_is_copied_anew(self):
        with Server(env=KEYS, data=self.data) as server:
            fill(server, "one")
            self.good(take_backup(server, self.backups))
            segment = max((self.backups / "000001/log/segments").iterdir())
            for offset in (40, 0, segment.stat().st_size - 8):  # a block, the header, the trailer
                flip(segment, offset)
                again = take_backup(server, self.backups)
                self.good(again)
                newest = max(name for name in os.listdir(self.backups) if name.isdigit())
                self.assertIn(f"{segment}", again.stderr)
                self.assertIn("from the server instead", again.stderr)
                self.good(run("verify", str(self.backups / newest)))
                segment = self.backups / newest / "log/segments" / segment.name
            silent = take_backup(server, self.backups)
            self.good(silent)
            self.assertEqual(silent.stderr, "")
            self.assertIn("0 of them copied", silent.stdout)

    def test_keep_removes_nothing_that_is_not_a_backup_of_this_server(self):
        with Server(env=KEYS, data=self.data) as server:
            fill(server, "one")
            self.good(take_backup(server, self.backups))
            strangers = ("202610/precious", "000000/precious", "000004.part/precious", "000003/BACKUP", "000009.part/BACKUP")
            for stranger in strangers:
                (self.backups / stranger).parent.mkdir()
                (self.backups / stranger).write_text("mine")
            (self.backups / "000007").symlink_to(self.backups / "202610")
            (self.backups / "000008").write_text("mine")
            for _ in range(3):
                done = take_backup(server, self.backups, "--keep", "1")
                self.good(done)
                for stranger in strangers:
                    self.assertIn(f"{(self.backups / stranger).parent} has not the mark", done.stderr)
        for stranger in strangers:
            self.assertEqual((self.backups / stranger).read_text(), "mine")
        self.assertEqual(sorted(name for name in os.listdir(self.backups) if (self.backups / name / "FOLDER").exists()), ["000006"])
        self.good(run("restore", str(self.backups), "--data", str(self.root / "new")))
        self.refused(run("restore", str(self.backups), "--backup", "202610", "--data", str(self.root / "newer")), "202610", "BACKUP")

    def test_an_own_backup_that_was_cut_off_goes(self):
        with Server(env=KEYS, data=self.data) as server:
            fill(server, "one")
            self.good(take_backup(server, self.backups))
            cut = self.backups / "000005.part"
            (cut / "log/segments").mkdir(parents=True)
            mark = (self.backups / "000001/BACKUP").read_text()
            (cut / "BACKUP").write_text("".join(mark.splitlines(True)[:2]))
            bare = self.backups / "000006.part"
            bare.mkdir()
            (bare / "LOCK").touch()
            done = take_backup(server, self.backups)
            self.good(done)
            self.assertEqual(done.stderr, "")
        self.assertEqual(sorted(os.listdir(self.backups)), ["000001", "000002", "LOCK"])

    def test_backups_of_the_version_before_are_known(self):
        with Server(env=KEYS, data=self.data) as server:
            fill(server, "one")
            self.good(take_backup(server, self.backups))
            mark = self.backups / "000001/BACKUP"
            mark.write_text(mark.read_text().splitlines(True)[0])
            again = take_backup(server, self.backups)
            self.good(again)
            self.assertIn("0 of them copied", again.stdout)
            self.good(run("restore", str(self.backups), "--backup", "1", "--data", str(self.root / "new")))
            self.good(take_backup(server, self.backups, "--keep", "1"))
        self.assertFalse(mark.parent.exists())

    def test_a_place_inside_a_data_folder_or_a_backup_is_refused_and_named(self):
        stopped = str(self.root / "stopped")
        with Server(env=KEYS, data=stopped) as other:
            fill(other, "one")
            other.stop()
        with Server(env=KEYS, data=self.data) as server:
            fill(server, "one")
            self.good(take_backup(server, self.backups))
            link = self.root / "link"
            link.symlink_to(self.data)
            for place, words in ((self.data, "is the data folder itself"), (link, "is the data folder itself"),
                                 (f"{self.data}/log/..", "is the data folder itself"),
                                 (f"{self.data}/sub", "is inside the data folder"), (link / "sub/deep", "is inside the data folder"),
                                 (stopped, "is a data folder"), (f"{stopped}/sub", "which is a data folder"),
                                 (self.backups / "000001", "is a backup"), (self.backups / "000001/sub", "which is a backup")):
                before = set(os.listdir(self.data)), set(os.listdir(stopped)), set(os.listdir(self.backups / "000001"))
                self.refused(take_backup(server, place), words)
                self.assertEqual(before, (set(os.listdir(self.data)), set(os.listdir(stopped)),
                                          set(os.listdir(self.backups / "000001"))))

    def test_a_part_that_was_removed_under_the_server_is_missed(self):
        with Server(env=KEYS, data=self.data) as server:
            fill(server, "one")
            self.good(take_backup(server, self.backups))
            shutil.rmtree(pathlib.Path(self.data) / "control/leases")
            self.refused(take_backup(server, self.backups), "control/leases")
        self.assertEqual([name for name in os.listdir(self.backups) if name.isdigit()], ["000001"])

    def test_a_limit_of_file_sizes_is_an_error_line(self):
        with Server(env=KEYS, data=self.data) as server:
            fill(server, "one")
            done = subprocess.run([BINARY, "backup", str(self.backups)], capture_output=True, text=True, timeout=60, check=False,
                                  env=environment({**KEYS, "MILLRACE_ENDPOINT": f"http://{server.address}"}),
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
            self.refused(done, "millrace: backup: ")
            self.assertTrue(re.search(r"[Ff]ile too large", done.stderr), done.stderr)
            self.good(take_backup(server, self.backups))
        with open(self.root / "dump", "w", encoding="utf-8") as output:
            done = subprocess.run([BINARY, "log", "dump", self.data], stdout=output, stderr=subprocess.PIPE, text=True, timeout=60,
                                  env=environment(), check=False,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("standard output", done.stderr)

    def test_a_backup_without_the_keyring_is_restored_with_the_keyring_at_hand(self):
        keyring = str(self.root / "keyring")
        with Server("--keyring", keyring, env=KEYS, data=self.data) as server:
            fill(server, "one")
            self.good(take_backup(server, self.backups))
        new = str(self.root / "new")
        self.refused(run("restore", str(self.backups), "--data", new), "keyring")
        self.good(run("restore", str(self.backups), "--data", new, "--keyring", keyring))
        self.good(run("verify", new, "--keyring", keyring))


if __name__ == "__main__":
    unittest.main()
