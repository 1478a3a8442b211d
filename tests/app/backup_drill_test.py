"""The drill of docs/backup.md, its commands taken literally, on a folder with records, users and encryption."""
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

from process import BINARY, ROOT, Server, environment, run

sys.path.insert(0, str(ROOT / "tests"))

from black_box.wire import Wire, b64  # noqa: E402

KEYS = {"MILLRACE_ROOT_ACCESS_KEY": "AKIDMILLRACETESTS001",
        "MILLRACE_ROOT_SECRET_KEY": "an example secret of the tests, 0123456789"}
PLACES = ("/var/backups/millrace", "/var/lib/millrace-restored", "/var/lib/millrace-first")


def commands() -> list[str]:
    page = (ROOT / "docs/backup.md").read_text().split("## Drill", 1)[1]
    return re.findall(r"^    (millrace .*)$", page, re.M)


class Backup(unittest.TestCase):
    def setUp(self) -> None:
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="millrace-backup-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.data = str(self.root / "data")
        self.backups = self.root / "backups"

    def put(self, server: Server, *values: str) -> None:
        wire = Wire(f"http://{server.address}")
        for value in values:
            wire.call("PutRecord", StreamName="clicks", PartitionKey="key", Data=b64(value.encode()))

    def create(self, server: Server) -> None:
        wire = Wire(f"http://{server.address}")
        wire.call("CreateStream", StreamName="clicks", ShardCount=1)
        wire.wait_active("clicks")
        wire.call("StartStreamEncryption", StreamName="clicks", EncryptionType="KMS", KeyId="alias/aws/kinesis")
        wire.wait_active("clicks")

    def values(self, data: str) -> list[str]:
        with Server(env=KEYS, data=data) as server:
            wire = Wire(f"http://{server.address}")
            return [record.decode() for shard in wire.shards("clicks")
                    for _, _, record in wire.read_shard("clicks", shard["ShardId"])]

    def here(self, server: Server) -> dict[str, str]:
        return environment({**KEYS, "MILLRACE_ENDPOINT": f"http://{server.address}"})

    def backup(self, server: Server, *flags: str) -> subprocess.CompletedProcess:
        return run("backup", str(self.backups), *flags, env={**KEYS, "MILLRACE_ENDPOINT": f"http://{server.address}"})

    def restore(self, name: str, *flags: str) -> subprocess.CompletedProcess:
        return run("restore", str(self.backups), "--data", str(self.root / name), *flags)

    def test_the_drill_of_the_page(self):
        bin_folder = self.root / "bin"
        bin_folder.mkdir()
        (bin_folder / "millrace").symlink_to(BINARY)
        places = {place: str(self.root / place[1:]) for place in PLACES}
        ran = 0
        with Server(env=KEYS, data=self.data) as server:
            self.create(server)
            self.put(server, "one", "two")
            env = self.here(server)
            env["PATH"] = f"{bin_folder}:{env['PATH']}"
            for line in commands():
                if line.startswith("millrace serve"):
                    continue
                for place, path in places.items():
                    line = re.sub(re.escape(place) + r"(?=[ /]|$)", path, line)
                done = subprocess.run(line, shell=True, env=env, capture_output=True, text=True, timeout=120, check=False)
                self.assertEqual(done.returncode, 0, f"{line}: {done.stdout}{done.stderr}")
                ran += 1
                if ran == 1:
                    self.put(server, "three")
        self.assertGreaterEqual(ran, 6)
        self.assertEqual(self.values(places["/var/lib/millrace-restored"]), ["one", "two", "three"])
        self.assertEqual(self.values(places["/var/lib/millrace-first"]), ["one", "two"])

    def test_the_second_copies_only_what_is_new_and_old_ones_go(self):
        with Server(env=KEYS, data=self.data) as server:
            self.create(server)
            self.put(server, "one")
            self.assertEqual(self.backup(server).returncode, 0)
            again = self.backup(server)
            self.assertIn("1 segments, 0 of them copied", again.stdout)
            first, second = (next((self.backups / name / "log/segments").iterdir()).stat() for name in ("000001", "000002"))
            self.assertEqual(first.st_ino, second.st_ino)
            self.put(server, "two")
            self.assertEqual(self.backup(server, "--keep", "1").returncode, 0)
        self.assertEqual(sorted(path.name for path in self.backups.iterdir()), ["000003", "LOCK"])
        self.assertEqual(self.restore("new").returncode, 0)
        self.assertEqual(self.values(str(self.root / "new")), ["one", "two"])

    def test_what_it_writes_is_its_users_alone(self):
        with Server(env=KEYS, data=self.data) as server:
            self.create(server)
            self.assertEqual(self.backup(server).returncode, 0)
        self.assertEqual(self.restore("new").returncode, 0)
        for folder in (self.backups, self.root / "new"):
            for path in [folder, *folder.rglob("*")]:
                self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, path)
        for part in ("keyring", "keys/tokens", "keys/identities"):
            self.assertEqual((self.backups / "000001" / part).read_bytes(), (pathlib.Path(self.data) / part).read_bytes())

    def test_a_backup_is_not_served_and_a_folder_with_something_in_it_is_not_restored_into(self):
        with Server(env=KEYS, data=self.data) as server:
            self.create(server)
            self.assertEqual(self.backup(server).returncode, 0)
            refused = self.restore("data")
            self.assertEqual(refused.returncode, 1)
            self.assertIn("not empty", refused.stderr)
        served = run("serve", "--data", str(self.backups / "000001"), "--listen", "127.0.0.1:0")
        self.assertNotEqual(served.returncode, 0)
        self.assertIn("millrace restore", served.stderr)
        # A restore that was cut off is not served either.
        self.assertEqual(self.restore("new").returncode, 0)
        (self.root / "new/BACKUP").write_text("")
        self.assertNotEqual(run("serve", "--data", str(self.root / "new"), "--listen", "127.0.0.1:0").returncode, 0)

    def test_backups_of_another_folder_are_left_alone(self):
        with Server(env=KEYS, data=self.data) as server:
            self.create(server)
            self.assertEqual(self.backup(server).returncode, 0)
        with Server(env=KEYS) as other:
            refused = self.backup(other)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("another data folder", refused.stderr)
        self.assertIn("000001", os.listdir(self.backups))

    def test_it_needs_the_permission(self):
        with Server(env=KEYS, data=self.data) as server:
            env = {**KEYS, "MILLRACE_ENDPOINT": f"http://{server.address}"}
            run("admin", "user", "add", "op", env=env)
            key = json.loads(run("admin", "key", "create", "op", env=env).stdout)
            own = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
                   "MILLRACE_ENDPOINT": env["MILLRACE_ENDPOINT"]}
            refused = run("backup", str(self.backups), env=own)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("millrace:Backup", refused.stderr)
            self.assertFalse(self.backups.exists())
            policy = self.root / "policy.json"
            policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": {
                "Effect": "Allow", "Action": "millrace:Backup", "Resource": "*"}}))
            put = run("admin", "policy", "put", "backup", str(policy), env=env)
            self.assertEqual(put.returncode, 0, put.stderr)
            attached = run("admin", "policy", "attach", "backup", "--user", "op", env=env)
            self.assertEqual(attached.returncode, 0, attached.stderr)
            allowed = run("backup", str(self.backups), env=own)
            self.assertEqual(allowed.returncode, 0, allowed.stderr)

    def test_a_damaged_block_is_named_and_an_older_backup_of_it_stays_whole(self):
        with Server(env=KEYS, data=self.data) as server:
            self.create(server)
            self.put(server, "one")
            self.assertEqual(self.backup(server).returncode, 0)
            self.put(server, "two")
            self.assertEqual(self.backup(server).returncode, 0)
            newest = max((pathlib.Path(self.data) / "log/segments").iterdir())
            shutil.rmtree(self.backups / "000002")
            with open(newest, "r+b") as file:
                file.seek(40)
                byte = file.read(1)[0]
                file.seek(40)
                file.write(bytes([byte ^ 1]))
            damaged = self.backup(server, "--keep", "1")
            self.assertEqual(damaged.returncode, 1, damaged.stdout)
            self.assertIn(f"{newest}: the block at byte", damaged.stderr)
        self.assertEqual(sorted(os.listdir(self.backups)), ["000001", "000002", "LOCK"])
        self.assertEqual(self.restore("new", "--backup", "1").returncode, 0)
        self.assertEqual(self.values(str(self.root / "new")), ["one"])


if __name__ == "__main__":
    unittest.main()
