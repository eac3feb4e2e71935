"""Clients for Node.js against `midwatch sim`: the AWS SDK for JavaScript v3 and sqs-consumer. `npm ci` in `node/` first."""

import pathlib
import subprocess

import pytest

FOLDER = pathlib.Path(__file__).parent / "node"


@pytest.mark.parametrize("file", sorted(path.name for path in FOLDER.glob("*.test.mjs")))
def test_node(sim, fast_sim, env, file):
    assert (FOLDER / "node_modules").is_dir(), f"run `npm ci` in {FOLDER} first"
    ended = subprocess.run(
        ["node", "--test", "--test-reporter=tap", file],
        cwd=FOLDER,
        # A split takes Kinesis half a minute.
        env=env | {"AWS_ENDPOINT_URL": sim, "AWS_ENDPOINT_URL_KINESIS": fast_sim},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    counts = dict(line[2:].split(" ", 1) for line in ended.stdout.splitlines() if line.startswith("# ") and " " in line[2:])
    assert int(counts["pass"]) >= 3 and counts["fail"] == counts["skipped"] == "0", ended.stdout
