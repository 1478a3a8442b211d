#!/usr/bin/python3
"""Every file and folder of a data folder removed, replaced by an older copy of it, replaced by that of another folder, cut
short, and one byte of it changed: parts.py SERVER. One thing at a time, each on a copy of the folder.

The start must be refused, with exit code 1 and one line, and every byte and name as they were; or what was acknowledged must
all be there. Only a read of a segment whose block was changed may end in an error instead. The walk takes what it finds, so a
new kind of file is covered by itself. A second walk takes the folder as kill -9 leaves it, whole parts only; and a folder of the first
version must open, be complete and be verified.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from black_box.cases import Cases
from black_box.server import Server, scratch_folder
from black_box.wire import Wire
from crash import small_folder
from crash.small_folder import Missing, SmallFolder

START_SECONDS = 60
HERE = os.path.dirname(os.path.abspath(__file__))


class Wrong(Exception):
    pass


def everything_in(folder):
    """Paths of all files and folders below it."""
    found = []
    for parent, folders, files in os.walk(folder):
        found += [os.path.relpath(os.path.join(parent, name), folder) for name in folders + files]
    return sorted(found)


def picture(folder):
    """What must not change: every name, and the bytes of every file."""
    taken = {}
    for name in everything_in(folder):
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            taken[name] = "folder"
        else:
            with open(path, "rb") as file:
                taken[name] = hashlib.sha256(file.read()).hexdigest()
    return taken


def same(a, b):
    if os.path.isdir(a) != os.path.isdir(b):
        return False
    if os.path.isdir(a):
        return picture(a) == picture(b)
    with open(a, "rb") as one, open(b, "rb") as other:
        return one.read() == other.read()


def copied(source, target):
    subprocess.run(["cp", "-a", "--reflink=auto", source, target], check=True)


class Change:
    """One thing that is done to one part of a copy of the folder."""

    def __init__(self, name, way, source=None, at=None):
        self.name, self.way, self.source, self.at = name, way, source, at

    def __str__(self):
        return f"{self.name} {self.way}"

    def make(self, folder):
        path = os.path.join(folder, self.name)
        if self.way in ("removed", "older", "of another folder"):
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.remove(path)
            if self.source:
                copied(self.source, path)
        elif self.way == "cut short":
            os.truncate(path, self.at)
        else:
            with open(path, "r+b") as file:
                file.seek(self.at)
                byte = file.read(1)[0]
                file.seek(self.at)
                file.write(bytes([byte ^ 0xff]))


def changes_of(folder, older, other, dice, only_parts=False):
    """All changes of all that is in `folder`. `older`: copies of it, the newest first; `other`: another one."""
    for name in everything_in(folder):
        path = os.path.join(folder, name)
        if only_parts and "/" in name and not name.startswith("control/") or only_parts and name.count("/") > 1:
            continue
        yield Change(name, "removed")
        for copy in older:
            source = os.path.join(copy, name)
            if os.path.exists(source) and not same(source, path):
                yield Change(name, "older", source)
                break
        source = os.path.join(other, name)
        if os.path.exists(source) and not same(source, path):
            yield Change(name, "of another folder", source)
        size = 0 if os.path.isdir(path) else os.path.getsize(path)
        if size == 0 or only_parts:
            continue
        with open(path, "rb") as file:
            used = len(file.read().rstrip(b"\0")) or size
        yield Change(name, "cut short", at=dice.randrange(size // 2, size))
        yield Change(name, "changed", at=dice.randrange(used))


def run(binary, *arguments):
    return subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=60, check=False)


def outcome(binary, folder, content, change, scratch):
    """What a start makes of it: "refused" or "complete", or "read error"; Wrong when that is not allowed."""
    copy = os.path.join(scratch, "data")
    shutil.rmtree(copy, ignore_errors=True)
    copied(folder, copy)
    change.make(copy)
    before = picture(copy)
    with Server(binary, copy, flags=small_folder.RESTING) as server:
        open(server.log_path, "w", encoding="utf-8").close()
        server.spawn()
        if not server.wait_healthy(START_SECONDS):
            code = server.exit_code()
            log = server.log()
            if code != 1:
                raise Wrong(f"exit code {code}: {log[-800:]}")
            errors = [row for row in log.splitlines() if '"error"' in row and json.loads(row)["level"] == "error"]
            if len(errors) != 1:
                raise Wrong(f"{len(errors)} error lines: {log[-800:]}")
            verified = run(binary, "verify", copy)
            if verified.returncode != 1 or "0 problems" in verified.stdout:
                raise Wrong(f"refused, and verify says {verified.returncode}: {verified.stdout[-800:]}{verified.stderr}; "
                            f"{errors[0]}")
            after = picture(copy)
            if after != before:
                touched = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
                raise Wrong(f"refused, and changed {touched}: {errors[0]}")
            return "refused"
        in_segment = change.way == "changed" and change.name.startswith("log/segments/")
        try:
            failed = content.check(server.endpoint, damaged_reads=in_segment)
        except Missing as missing:
            raise Wrong(f"started, and not all is there: {missing}; log: {server.log()[-800:]}") from missing
        server.kill9()
        verified = run(binary, "verify", copy)
        if (verified.returncode != 0) != failed and not in_segment:
            raise Wrong(f"complete, and verify says {verified.returncode}: {verified.stdout[-800:]}{verified.stderr}")
        if failed and verified.returncode != 1:
            raise Wrong("a read ended in an error, and verify finds nothing")
        return "read error" if failed else "complete"


def walk(cases, binary, what, folder, content, older, other, dice, scratch, only_parts=False):
    places = [os.path.join(scratch, f"{what}-{lane}") for lane in range(2)]
    for place in places:
        os.makedirs(place)
    changes = list(changes_of(folder, older, other, dice, only_parts))
    counts, wrong = {}, []

    def lane(number):
        for change in changes[number::len(places)]:
            try:
                found = outcome(binary, folder, content, change, places[number])
                counts[(change.way, found)] = counts.get((change.way, found), 0) + 1
                if os.environ.get("MILLRACE_SHOW"):
                    print(f"{found:10} {change}", flush=True)
            except Exception as error:  # pylint: disable=broad-except
                wrong.append(f"{change}: {error}")

    with cases.case(f"{what}: {len(changes)} changes of its parts"):
        with concurrent.futures.ThreadPoolExecutor(len(places)) as pool:
            list(pool.map(lane, range(len(places))))
        for (way, found), count in sorted(counts.items()):
            cases.line(f"      {way}: {found} {count} times")
        assert not wrong, "\n".join(wrong)
        assert sum(count for (_, found), count in counts.items() if found == "refused") > len(changes) // 3, counts


def unpack_first(folder):
    with tarfile.open(os.path.join(HERE, "folders", "first.tar.xz")) as archive:
        archive.extractall(folder)
    # As in every folder that a server has been in.
    with open(os.path.join(folder, "data/LOCK"), "w", encoding="utf-8") as lock:
        lock.write("1\n")


def first_version(cases, binary, scratch):
    folder = os.path.join(scratch, "first")
    unpack_first(folder)
    data = os.path.join(folder, "data")
    with open(os.path.join(folder, "expected.json"), encoding="utf-8") as file:
        content = SmallFolder.load(file.read())
    with cases.case("a folder of the first version opens, is complete, goes on and is verified"):
        with Server(binary, data, flags=small_folder.RESTING) as server:
            server.start()
            content.check(server.endpoint)
            content.go_on(Wire(server.endpoint), "later")
            assert server.stop() == 0, server.log()
            assert os.path.exists(os.path.join(data, "FOLDER"))
            server.start()
            content.check(server.endpoint)
            assert server.stop() == 0, server.log()
        report = run(binary, "log", "verify", data)
        assert report.returncode == 0, report.stdout + report.stderr
        assert not os.path.exists(os.path.join(data, "orphaned"))
    for part in ("control", "log", "keys", "keyring"):
        with cases.case(f"of a folder of the first version {part} is removed: refused, unchanged"):
            shutil.rmtree(data)
            unpack_first(folder)
            found = outcome(binary, data, content, Change(part, "removed"), scratch)
            assert found == "refused", found


def strangers(cases, binary, folder, content, other, scratch):
    """Files of another folder in places where this one has none: moved aside, and nothing is lost."""
    with cases.case("segments and journal files of another folder are moved to orphaned/, with warnings and figures"):
        copy = os.path.join(scratch, "strangers")
        copied(folder, copy)
        shutil.copy(os.path.join(other, "log/segments/0000000001.mrs"), os.path.join(copy, "log/segments/0000000001.mrs.x"))
        os.rename(os.path.join(copy, "log/segments/0000000001.mrs.x"), os.path.join(copy, "log/segments/0000009999.mrs"))
        with Server(binary, copy, flags=small_folder.RESTING) as server:
            server.start()
            content.check(server.endpoint)
            figures = Wire(server.endpoint).exchange("GET", "/metrics", sign=False).body.decode()
            assert "\nmillrace_orphaned_files 1\n" in figures, figures
            warned = [row for row in server.log().splitlines() if "orphaned" in row and '"warn"' in row]
            assert warned, server.log()
        assert os.listdir(os.path.join(copy, "orphaned/log/segments")) == ["0000009999.mrs"]


def accepting(cases, binary, folder, content, scratch):
    copy = os.path.join(scratch, "accepting")
    copied(folder, copy)
    shutil.rmtree(os.path.join(copy, "control/leases"))
    before = picture(copy)
    with cases.case("accept says what would be given up, and changes nothing"):
        shown = run(binary, "accept", copy)
        assert shown.returncode == 0 and "control/leases: entries 1 to" in shown.stdout, shown
        assert picture(copy) == before
    with cases.case("accept --give-up: the next start goes on without it, says so once, and all else is there"):
        done = run(binary, "accept", copy, "--give-up")
        assert done.returncode == 0, done
        rest = SmallFolder.load(content.dump())
        rest.items = {}
        with Server(binary, copy, flags=small_folder.RESTING) as server:
            server.start()
            rest.check(server.endpoint)
            assert server.log().count("given up by millrace accept: control/leases") == 1, server.log()
            assert server.stop() == 0
            server.start()
            assert server.log().count("given up by millrace accept") == 1, server.log()
            assert server.stop() == 0
        assert run(binary, "verify", copy).returncode == 0
        nothing = run(binary, "accept", copy)
        assert nothing.returncode == 0 and "nothing to give up" in nothing.stdout, nothing
    for part in ("log", "control/control", "keys/identities"):
        with cases.case(f"{part} cannot be given up: what is left contradicts it"):
            shutil.rmtree(copy)
            copied(folder, copy)
            Change(part, "removed").make(copy)
            before = picture(copy)
            refused = run(binary, "accept", copy, "--give-up")
            assert refused.returncode == 1 and "cannot be given up" in refused.stderr, refused
            assert picture(copy) == before
    with cases.case("verify of a folder in use says who uses it"):
        with Server(binary, copy + "-used", flags=small_folder.RESTING) as server:
            server.start()
            refused = run(binary, "verify", server.data)
            assert refused.returncode == 1 and "in use" in refused.stderr, refused


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("server")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = arguments.parse_args()
    dice = random.Random(options.seed)
    cases = Cases(f"parts, seed {options.seed}")
    scratch = scratch_folder("parts")
    folder, other = os.path.join(scratch, "folder"), os.path.join(scratch, "other")
    older = []
    try:
        with cases.case("two folders are filled"):
            def keep(number):
                copied(folder, os.path.join(scratch, f"older-{number}"))
                older.insert(0, os.path.join(scratch, f"older-{number}"))
            content = small_folder.fill(options.server, folder, earlier=keep)
            small_folder.fill(options.server, other)
        if cases.failed:
            return cases.finish()
        first_version(cases, options.server, scratch)
        walk(cases, options.server, "stopped", folder, content, older[1:], other, dice, scratch)
        strangers(cases, options.server, folder, content, other, scratch)
        accepting(cases, options.server, folder, content, scratch)
        with Server(options.server, folder, flags=small_folder.RESTING) as server:
            server.start()
            content.go_on(Wire(server.endpoint), "killed")
            time.sleep(3)  # the journal's end is noted once per second
            server.kill9()
        walk(cases, options.server, "killed", folder, content, older, other, dice, scratch, only_parts=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return cases.finish()


if __name__ == "__main__":
    sys.exit(main())
