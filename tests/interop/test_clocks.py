"""`midwatch status` at an endpoint whose time is, or is not, that of this machine."""

import json

from conftest import REGION, serving


def status(run, url):
    ended = run("status", "--endpoint-url", url, "--region", REGION, "--format", "json")
    assert ended.stdout, ended.stderr
    return json.loads(ended.stdout)


def clocks(seen):
    return [problem["sentence"] for problem in seen["problems"] if "The clock of" in problem["sentence"]]


def test_a_story_that_is_served_begins_now_and_has_numbers(run, midwatch):
    with serving(midwatch, "--scenario", "flash-sale") as url:
        seen = status(run, url)
    assert clocks(seen) == []
    rates = [row["fields"].get("sent_per_min") for row in seen["resources"] if row["kind"] == "sqs"]
    assert any(rate is not None and rate > 0 for rate in rates), rates


def test_a_clock_that_is_days_off_is_named_and_no_number_is_made_up(run, midwatch):
    with serving(midwatch, "--scenario", "flash-sale", "--clock", "manual") as url:
        seen = status(run, url)
    [said] = clocks(seen)
    assert url in said and "machine's" in said and "Set the clock" in said
    rates = [row["fields"].get("sent_per_min") for row in seen["resources"] if row["kind"] == "sqs"]
    assert rates and set(rates) == {None}
