"""Starts the JavaScript SDK's cases: the scripts in sdk_js/, with their packages in build/clients-npm."""

import os
import shutil
import subprocess

from black_box import coverage_page
from black_box.cases import VERDICT
from black_box.server import ACCESS_KEY, REGION, SECRET_KEY
from clients import every_operation

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdk_js")
PACKAGES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(HERE))), "build", "clients-npm")


def install():
    """Packages as the lock file says, once; returns the folder that Node resolves them from."""
    os.makedirs(PACKAGES, exist_ok=True)
    fresh = False
    for name in ("package.json", "package-lock.json"):
        source, target = os.path.join(HERE, name), os.path.join(PACKAGES, name)
        with open(source, "rb") as wanted:
            content = wanted.read()
        try:
            with open(target, "rb") as had:
                fresh = fresh or had.read() != content
        except FileNotFoundError:
            fresh = True
        shutil.copyfile(source, target)
    if fresh or not os.path.isdir(os.path.join(PACKAGES, "node_modules")):
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PACKAGES, capture_output=True, text=True,
                              timeout=300, check=False)
        if done.returncode != 0:
            shutil.rmtree(os.path.join(PACKAGES, "node_modules"), ignore_errors=True)
            raise RuntimeError(f"npm ci: {done.stderr[-2000:]}")
    return PACKAGES


def script(path):
    """`path` copied to where Node finds the packages: it looks for them beside the script."""
    target = os.path.join(install(), os.path.basename(path))
    shutil.copyfile(path, target)
    return target


def environment(**more):
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    return {**kept, "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "NODE_NO_WARNINGS": "1", **more}


def self_signed(folder):
    """(certificate, key) of 127.0.0.1 that is its own authority."""
    certificate, key = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


def flow(cases, name, arguments, variables):
    """Runs a script, passes its lines on, counts its cases; returns its output."""
    done = subprocess.run(["node", script(os.path.join(HERE, name)), *arguments], env=variables, capture_output=True,
                          text=True, timeout=180, check=False)
    verdict = None
    for row in done.stdout.splitlines():
        verdict = VERDICT.match(row) or verdict
        if not VERDICT.match(row):
            cases.line(row)
    if verdict is None:
        raise RuntimeError(f"{name} ended with {done.returncode} and no verdict: {done.stderr[-2000:]}")
    cases.add(*(int(number or 0) for number in verdict.groups()))
    return done.stdout


def run(cases, endpoint, *, checks_signatures, authority=None):
    """The SDK's cases; where signatures are checked also what its newest version can ask, all of it."""
    variables = environment(CHECKS_SIGNATURES="1" if checks_signatures else "0",
                            **({"NODE_EXTRA_CA_CERTS": authority} if authority else {}))
    flow(cases, "kinesis.mjs", [endpoint], variables)
    if not checks_signatures:
        return
    flow(cases, "operations.mjs", [endpoint], variables)
    output = flow(cases, "every_operation.mjs", [endpoint, every_operation.STEPS], variables)
    covered = coverage_page.covered_in(output).get("JavaScript SDK", set())
    coverage_page.check(cases, "JavaScript SDK", covered, set(coverage_page.Page().operations))
