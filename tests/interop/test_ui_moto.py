"""The terminal UI against moto: keys typed into a terminal change what boto3 reads there, and only when unlocked."""

import json

import pytest
from conftest import REGION
from terminal import Terminal
from test_moto import make_domains, make_functions, make_queues, make_streams, status

DOWN, ENTER, ESCAPE, RIGHT, TAB, CTRL_S = "\x1b[B", "\r", "\x1b", "\x1b[C", "\t", "\x13"


@pytest.fixture
def estate(moto):
    make_queues(moto)
    make_streams(moto)
    make_functions(moto)
    return moto


@pytest.fixture
def ui(midwatch, env, estate, tmp_path):
    """Opens the UI on moto and waits until the first sweep is there."""
    opened = []

    def ui(*flags):
        journal = str(tmp_path / "journal.jsonl")
        flags = ["--endpoint-url", estate.url, "--region", REGION, "--journal", journal, *flags]
        terminal = Terminal(midwatch, flags, env)
        opened.append(terminal)
        terminal.wait("kinesis/bids", "sqs/orders-dlq", "lambda/settle-bid", "123456789012")
        return terminal

    yield ui
    for terminal in opened:
        terminal.close()


def go(terminal, resource):
    """To a resource's detail through the palette."""
    terminal.press(":" + resource)
    terminal.wait("▸" + resource)
    terminal.press(ENTER)
    return terminal.wait(resource, gone=["go to  esc"])


def shards(moto, stream):
    listed = moto.client("kinesis").list_shards(StreamName=stream)["Shards"]
    open_shards = [shard for shard in listed if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]
    return {shard["ShardId"]: shard for shard in open_shards}


def entries(run, tmp_path):
    """The journal as the program itself exports it, once its chain is found whole."""
    flags = ["--journal", str(tmp_path / "journal.jsonl")]
    verified = run("journal", "verify", *flags)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    return json.loads(run("journal", "export", *flags).stdout)


def test_a_split_in_the_ui_splits_the_shard_at_moto(ui, estate, run, tmp_path):
    before = shards(estate, "bids")
    assert len(before) == 2
    terminal = ui("--allow-actions")
    assert "ACTIONS UNLOCKED" in terminal.text
    go(terminal, "kinesis/bids")
    terminal.wait("SHARDS 2 open")
    terminal.press("j")
    terminal.press("R")
    terminal.wait("split shardId-000000000001", "resize the stream")
    terminal.press(ENTER)
    terminal.wait("2 open shards become 3", "kinesis split-shard")
    assert shards(estate, "bids").keys() == before.keys(), "a plan that is only shown does nothing"
    terminal.press("y")
    # moto's DescribeStreamSummary goes on counting two; its ListShards does not, and that is what the map shows.
    terminal.wait("SHARDS 3 open, 1 closed", "reshard bids: accepted", seconds=60)
    after = shards(estate, "bids")
    parent = before["shardId-000000000001"]["HashKeyRange"]
    children = [shard for shard in after.values() if shard.get("ParentShardId") == "shardId-000000000001"]
    assert len(after) == 3 and "shardId-000000000001" not in after
    ranges = sorted((int(s["HashKeyRange"]["StartingHashKey"]), int(s["HashKeyRange"]["EndingHashKey"])) for s in children)
    middle = (int(parent["StartingHashKey"]) + int(parent["EndingHashKey"])) // 2 + 1
    assert ranges == [(int(parent["StartingHashKey"]), middle - 1), (middle, int(parent["EndingHashKey"]))]
    assert terminal.leave() == 0
    kept = entries(run, tmp_path)
    assert [entry["what"] for entry in kept] == ["intent", "outcome"]
    assert kept[0]["who"]["endpoint"] == estate.url and kept[0]["who"]["account"] == "123456789012"
    assert kept[0]["resource"] == "kinesis/bids"
    assert kept[1]["outcomes"][0]["class"] == "accepted"


def test_a_resize_in_the_ui_resizes_the_stream_at_moto(ui, estate):
    terminal = ui("--allow-actions")
    go(terminal, "kinesis/clicks")
    terminal.wait("SHARDS 1 open")
    terminal.press("R")
    terminal.wait("split shardId-000000000000")
    terminal.press(RIGHT)
    terminal.wait("[resize the stream]")
    terminal.press(ENTER)
    terminal.wait("from 1 to 2 open shards", "update-shard-count")
    terminal.press("n")
    terminal.wait("[resize the stream]")
    assert len(shards(estate, "clicks")) == 1, "no is no"
    terminal.press(ENTER)
    terminal.wait("from 1 to 2 open shards")
    terminal.press("y")
    terminal.wait("reshard clicks: done, 2 open shards", seconds=60)
    summary = estate.client("kinesis").describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 2
    assert terminal.leave() == 0


def test_an_invoke_in_the_ui_reaches_the_function_and_shows_its_answer(ui, estate, run, tmp_path):
    answers = {"results": ['{"settled": true, "by": "moto"}'], "region": REGION}
    estate.post("/moto-api/static/lambda-simple/response", answers)
    terminal = ui("--allow-actions")
    go(terminal, "lambda/settle-bid")
    terminal.press("i")
    terminal.wait("payload", "wait for the answer")
    terminal.press("\x1b[3~" * 2 + '{"bid": 7}')
    terminal.press(CTRL_S)
    terminal.wait("Run settle-bid once", "The function really runs")
    terminal.press("y")
    shown = terminal.wait("the function answered", '"by": "moto"', "LOG TAIL")
    assert "status 200" in shown and '"settled": true' in shown
    # The one answer was used up by the one invocation: without answers moto's functions say what they are sent.
    again = estate.client("lambda").invoke(FunctionName="settle-bid", Payload=b'{"bid": 8}')
    assert json.loads(again["Payload"].read()) == {"bid": 8}
    assert terminal.leave() == 0
    intent, outcome, end = entries(run, tmp_path)
    assert (intent["action"], intent["resource"]) == ("invoke", "lambda/settle-bid")
    assert '{"bid": 7}' in json.dumps(intent).replace("\\", "")
    assert outcome["outcomes"][0]["class"] == "answered"
    assert end["end"] == "done"


def test_without_allow_actions_nothing_can_be_changed_and_the_screen_says_why(ui, estate, tmp_path):
    before = shards(estate, "bids")
    terminal = ui()
    assert "read-only" in terminal.text and "UNLOCKED" not in terminal.text
    for resource, key, verb in [
        ("kinesis/bids", "R", "reshard"),
        ("sqs/orders-dlq", "r", "redrive"),
        ("lambda/settle-bid", "i", "invoke"),
    ]:
        go(terminal, resource)
        terminal.press(key)
        terminal.wait(f"{verb}: midwatch is read-only here", "--allow-actions")
        terminal.press(ENTER + "y")
        terminal.read(0.3)
        terminal.press("1")
        terminal.wait("[overview]")
    # The palette is no way round it.
    go(terminal, "kinesis/bids")
    terminal.press(":reshard")
    terminal.wait("▸reshard")
    terminal.press(ENTER)
    terminal.wait("read-only here")
    assert terminal.leave() == 0
    assert shards(estate, "bids") == before
    journal = tmp_path / "journal.jsonl"
    assert not journal.exists() or journal.read_text() == "", "nothing was done, nothing is journalled"


def test_a_journal_that_cannot_be_written_stops_the_action(ui, estate, tmp_path):
    terminal = ui("--allow-actions")
    (tmp_path / "journal.jsonl").unlink(missing_ok=True)
    (tmp_path / "journal.jsonl").mkdir()
    go(terminal, "kinesis/bids")
    terminal.wait("SHARDS 2 open")
    terminal.press("R")
    terminal.wait("resize the stream")
    terminal.press(ENTER)
    terminal.wait("open shards become 3")
    terminal.press("y")
    terminal.wait("not done", "journal")
    assert len(shards(estate, "bids")) == 2
    assert terminal.leave() == 0


def test_what_moto_lacks_is_a_problem_on_the_screen_and_in_the_json_and_never_a_zero(ui, run, estate):
    terminal = ui()
    terminal.wait("problem", seconds=60)
    terminal.press("p")
    shown = terminal.wait("WHAT COULD NOT BE LOOKED AT", "sqs:ListMessageMoveTasks", "cloudwatch:GetMetricData")
    assert f"{estate.url} does not serve cloudwatch:GetMetricData" in shown
    assert "Nothing: every question" not in shown
    terminal.press(ESCAPE)
    go(terminal, "kinesis/bids")
    lag = next(line for line in terminal.wait("LAG", "failed").splitlines() if "LAG " in line)
    assert "failed" in lag.split("LAG", 1)[1], lag
    assert terminal.leave() == 0
    _, snapshot = status(run, estate)
    problems = {f"{problem['service']}:{problem['operation']}" for problem in snapshot["problems"]}
    assert {"sqs:ListMessageMoveTasks", "cloudwatch:GetMetricData"} <= problems


def test_news_at_moto_reach_the_screen(ui, estate):
    terminal = ui()
    go(terminal, "sqs/mail")
    terminal.wait("VISIBLE      0")
    sqs = estate.client("sqs")
    url = sqs.get_queue_url(QueueName="mail")["QueueUrl"]
    for batch in range(42):
        letters = [{"Id": str(n), "MessageBody": f"{batch}-{n}"} for n in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=letters)
    terminal.press("\x12")
    terminal.wait("asking again")
    terminal.wait("VISIBLE      420")
    assert terminal.leave() == 0


def test_an_executions_history_is_the_one_that_boto3_reads(estate, ui):
    make_domains(estate)
    swf = estate.client("swf")
    limits = {f"defaultTask{limit}Timeout": "600" for limit in ("ScheduleToClose", "ScheduleToStart", "StartToClose")}
    swf.register_activity_type(
        domain="orders",
        name="charge-card",
        version="1",
        defaultTaskList={"name": "chargers"},
        defaultTaskHeartbeatTimeout="NONE",
        **limits,
    )
    task = swf.poll_for_decision_task(domain="orders", taskList={"name": "deciders"}, identity="decider-1")
    attributes = {"activityType": {"name": "charge-card", "version": "1"}, "activityId": "7"}
    decision = {"decisionType": "ScheduleActivityTask", "scheduleActivityTaskDecisionAttributes": attributes}
    swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[decision])
    execution = task["workflowExecution"]

    terminal = ui()
    terminal.wait("swf/orders")
    go(terminal, "swf/orders")
    terminal.press("e")
    terminal.wait("EXECUTIONS orders", "OPEN 2", "order-0", "order-1")
    if execution["workflowId"] == "order-1":
        terminal.press("j")
    terminal.press(ENTER)
    waits = "It waits for activity charge-card/1 7, scheduled"
    terminal.wait(f"HISTORY {execution['workflowId']}", waits, "that nobody has taken; it is on list chargers")
    history = swf.get_workflow_execution_history(domain="orders", execution=execution)["events"]
    assert len(history) == 5
    for event in history:
        terminal.wait(event["eventType"])
