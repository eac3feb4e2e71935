"""What the interop tests share: the midwatch under test, a free port, a shell without the machine's AWS settings."""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.request

import boto3
import pytest
from botocore.config import Config

REGION = "eu-west-1"
ROOT = pathlib.Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, seconds=20, every=0.1):
    """Asks until `what()` is truthy and returns that; a test that waits for what never comes fails with the last answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = what()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {seconds} s; the last answer: {answer!r}"
        time.sleep(every)


def boto_client(service, url, config=None):
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config or Config(retries={"max_attempts": 1}),
    )


@pytest.fixture(scope="session")
def midwatch():
    """The binary's path; `cargo build` makes it."""
    path = pathlib.Path(os.environ.get("MIDWATCH", ROOT / "target/debug/midwatch"))
    assert path.is_file(), f"{path} is not there: run `cargo build` first"
    return str(path)


@pytest.fixture
def env(tmp_path):
    """An environment that knows nothing of this machine's AWS settings and writes only into the test's folder."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "RUST_BACKTRACE": "0",
    }


@pytest.fixture
def run(midwatch, env):
    """Runs midwatch to its end: `run("status", "--format", "json")`."""

    def run(*arguments, timeout=120, **more_env):
        return subprocess.run(
            [midwatch, *arguments],
            env={name: value for name, value in (env | more_env).items() if value is not None},
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )

    return run


@contextlib.contextmanager
def serving(binary, *flags):
    """`midwatch sim` on a port that the system picks; yields its URL, and wants it to end cleanly."""
    server = subprocess.Popen([binary, "sim", "--listen", "127.0.0.1:0", *flags], stdout=subprocess.PIPE, text=True)
    try:
        first = server.stdout.readline()
        found = re.search(r"http://[\d.]+:\d+", first)
        assert found, f"no address in {first!r}"
        yield found.group(0)
    finally:
        server.terminate()
        assert server.wait(timeout=10) == 0, "SIGTERM is a clean end"


@pytest.fixture(scope="module")
def sim(midwatch):
    """An empty account in real time, one for a file of tests."""
    with serving(midwatch) as url:
        yield url


@pytest.fixture(scope="module")
def fast_sim(midwatch):
    """The same with time twenty times as fast, for what takes AWS half a minute."""
    with serving(midwatch, "--speed", "20") as url:
        yield url


class Foreign:
    """An AWS implementation that is not ours, filled by hand."""

    def __init__(self, url):
        self.url = url

    def client(self, service):
        return boto_client(service, self.url)

    def post(self, path, body):
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request) as answer:
            return answer.read()


@contextlib.contextmanager
def foreign(port, arguments, ready, **more_env):
    """A Python server with these arguments, once its path `ready` answers; stopped at the end."""
    server = subprocess.Popen(
        [sys.executable, *arguments],
        env=os.environ | more_env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"

    def up():
        assert server.poll() is None, "the server has stopped"
        try:
            return urllib.request.urlopen(url + ready, timeout=1)
        except OSError:
            return None

    try:
        wait_for(up, seconds=60)
        yield Foreign(url)
    finally:
        server.terminate()
        server.wait(timeout=10)


@pytest.fixture(scope="session")
def moto_server():
    """One server for all tests, without Docker: functions answer what the test puts into their queue."""
    port = free_port()
    code = "import sys; from moto.server import main; sys.exit(main())"
    with foreign(port, ["-c", code, "-H", "127.0.0.1", "-p", str(port)], "/moto-api/data.json") as moto:
        moto.post("/moto-api/config", {"lambda": {"use_docker": False}})
        yield moto


@pytest.fixture
def moto(moto_server):
    """An empty account at moto's server."""
    moto_server.post("/moto-api/reset", {})
    return moto_server


@pytest.fixture
def ministack():
    """An empty account at a ministack of its own."""
    port = free_port()
    with foreign(port, ["-m", "ministack"], "/_ministack/health", GATEWAY_PORT=str(port)) as ministack:
        yield ministack
