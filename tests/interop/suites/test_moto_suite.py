"""moto's own test suite, as its authors wrote it, run against `midwatch sim`.

Where moto and AWS differ, midwatch follows AWS. `moto/<service>.txt` names each test of moto's that therefore fails,
with the reason. A test that fails and is not named there fails this suite, and so does one that is named and passes.
A reason that begins with "waits" names a test that would wait for its time-out, as at AWS: it is not run, nor is one
whose reason begins with "chance", which fails at times. Of a whole file that a line names nothing is run: it tests what
is not served, or moto's own classes.
One service by hand: `pytest tests/interop/suites -k sqs`.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib import metadata

import pytest
from conftest import ROOT, serving

HERE = pathlib.Path(__file__).parent
# CloudFormation and Flask's test client reach moto's own insides, never an endpoint.
ELSEWHERE = ["*cloudformation*", "*test_server.py"]


def differing(service):
    """The tests that must fail, and the tests and files that are not run: lines of the form `path::test  # why`."""
    lines = (HERE / "moto" / f"{service}.txt").read_text().splitlines()
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    for row in rows:
        words = f"moto/{service}.txt: a test or a file, two spaces, # and a reason: {row!r}"
        assert re.fullmatch(r"\S+(::.+?)?  # \S.*", row), words
    reasons = dict(row.split("  # ", 1) for row in rows)
    waiting = {test for test, why in reasons.items() if why.startswith(("waits", "chance"))}
    files = {test for test in reasons if "::" not in test}
    return set(reasons) - waiting - files, waiting, files


SERVICES = sorted(path.stem for path in (HERE / "moto").glob("*.txt"))


@pytest.fixture(scope="session")
def suite():
    """moto's source with its tests, of the very version that is installed; fetched once into target/."""
    version = metadata.version("moto")
    home = ROOT / "target" / f"moto-{version}"
    if not (home / "tests").is_dir():
        with tempfile.TemporaryDirectory() as folder:
            fetch = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", f"moto=={version}"]
            subprocess.run([sys.executable, "-m", "pip", *fetch, "-d", folder], check=True)
            (archive,) = pathlib.Path(folder).glob("moto-*.tar.gz")
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
            home.parent.mkdir(exist_ok=True)
            shutil.move(str(pathlib.Path(folder) / f"moto-{version}"), home)
    return home


@pytest.mark.parametrize("service", SERVICES)
def test_moto(service, suite, midwatch, moto_server, env):
    known, waiting, files = differing(service)
    own = {path for path in (suite / f"tests/test_{service}").rglob("test_*.py")}
    own = {path for path in own if not any(path.match(pattern) for pattern in ELSEWHERE)}
    if {str(path.relative_to(suite)) for path in own} <= files:
        pytest.skip("nothing of it is served")
    with serving(midwatch, "--limits", "off", "--delays", "off") as url:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", f"tests/test_{service}", "-q", "--tb=no", "--color=no", "-rA"]
            + ["-p", "moto_plugin", "-p", "no:cacheprovider", "--timeout=60"]
            + [f"--ignore-glob={pattern}" for pattern in ELSEWHERE]
            + [f"--deselect={test}" for test in sorted(waiting)]
            + [f"--ignore={file}" for file in sorted(files)],
            cwd=suite,
            env=env
            | {
                "PYTHONPATH": os.pathsep.join([str(HERE), str(suite)]),
                "COLUMNS": "400",
                "TEST_SERVER_MODE": "true",
                "TEST_SERVER_MODE_ENDPOINT": url,
                "MIDWATCH_URL": url,
                "MOTO_URL": moto_server.url,
                "AWS_DEFAULT_REGION": "us-east-1",
            },
            capture_output=True,
            text=True,
            timeout=900,
        )
    outcome = {}
    for word, test in re.findall(r"^(PASSED|FAILED|ERROR) (tests/\S+::.+?)(?: - .*)?$", ran.stdout, re.MULTILINE):
        outcome.setdefault(test, word)
    passed = {test for test, word in outcome.items() if word == "PASSED"}
    failed = set(outcome) - passed
    print(f"moto's {service} tests: {len(passed)} pass, {len(failed)} differ as named")
    assert passed, ran.stdout[-4000:] + ran.stderr[-4000:]
    assert not failed - known, "fail and are not named:\n" + "\n".join(sorted(failed - known)) + "\n" + ran.stdout[-3000:]
    assert not known - failed, "are named and do not fail:\n" + "\n".join(sorted(known - failed))
