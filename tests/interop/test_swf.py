"""SWF with boto3, as a decider, a worker and an operator use it: histories, timeouts, children, errors.

Time stands in these engines and passes when a test says so: an hour's timeout takes milliseconds.
"""

import os
import pathlib
import re
import subprocess
import threading
import urllib.request
import uuid

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("MIDWATCH") or str(ROOT / "target/debug/midwatch")
DECIDERS, WORKERS = {"name": "deciders"}, {"name": "workers"}
EPOCH = {"oldestDate": 0}


class Engine:
    def __init__(self):
        self.process = subprocess.Popen(
            [BINARY, "sim", "--listen", "127.0.0.1:0", "--clock", "manual"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        found = re.search(r"http://[\w.:\[\]]+\w", line)
        assert found, f"no address in {line!r}"
        self.url = found.group(0)

    def client(self, service):
        # One attempt: a refusal must reach the test, not be retried away.
        config = Config(retries={"total_max_attempts": 1}, read_timeout=70, max_pool_connections=20)
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )

    def order(self, what, body=b""):
        request = urllib.request.Request(f"{self.url}/_midwatch/{what}", body, {"content-type": "text/plain"}, method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def wait(self, seconds):
        self.order(f"advance?by={seconds}s")


@pytest.fixture(scope="module")
def engine():
    engine = Engine()
    yield engine
    engine.process.terminate()
    assert engine.process.wait(timeout=5) == 0, "SIGTERM is a clean end"


@pytest.fixture(scope="module")
def swf(engine):
    return engine.client("swf")


@pytest.fixture
def domain(swf):
    """A domain with a workflow type `booking` and the activity types `charge` and `confirm`."""
    name = f"hotel-{uuid.uuid4().hex[:8]}"
    swf.register_domain(name=name, description="Bookings", workflowExecutionRetentionPeriodInDays="7")
    swf.register_workflow_type(
        domain=name,
        name="booking",
        version="1.0",
        defaultTaskList=DECIDERS,
        defaultTaskStartToCloseTimeout="30",
        defaultExecutionStartToCloseTimeout="3600",
        defaultChildPolicy="TERMINATE",
    )
    for activity in ("charge", "confirm"):
        swf.register_activity_type(
            domain=name,
            name=activity,
            version="1.0",
            defaultTaskList=WORKERS,
            defaultTaskScheduleToStartTimeout="60",
            defaultTaskStartToCloseTimeout="120",
            defaultTaskScheduleToCloseTimeout="180",
            defaultTaskHeartbeatTimeout="30",
        )
    return name


BOOKING = {"name": "booking", "version": "1.0"}


def start(swf, domain, workflow_id="order-1", **more):
    return swf.start_workflow_execution(domain=domain, workflowId=workflow_id, workflowType=BOOKING, **more)["runId"]


def poll(swf, domain, **more):
    task = swf.poll_for_decision_task(domain=domain, taskList=DECIDERS, identity="decider-1", **more)
    assert task.get("taskToken"), "a decision task waits"
    return task


def decide(swf, domain, *decisions, **more):
    task = poll(swf, domain)
    swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=list(decisions), **more)
    return task


def decision(kind, **attributes):
    return {"decisionType": kind, f"{kind[0].lower()}{kind[1:]}DecisionAttributes": attributes}


def activity(name, activity_id):
    return decision("ScheduleActivityTask", activityType={"name": name, "version": "1.0"}, activityId=activity_id)


def history(swf, domain, run_id, workflow_id="order-1"):
    pages = swf.get_paginator("get_workflow_execution_history").paginate(
        domain=domain, execution={"workflowId": workflow_id, "runId": run_id}, PaginationConfig={"PageSize": 4}
    )
    events = [event for page in pages for event in page["events"]]
    assert [event["eventId"] for event in events] == list(range(1, len(events) + 1))
    return events


def kinds(events):
    return [event["eventType"] for event in events]


def attributes(events, kind):
    """The attributes of the last event of that kind."""
    event = [event for event in events if event["eventType"] == kind][-1]
    return event[f"{kind[0].lower()}{kind[1:]}EventAttributes"]


def refused(code, call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code, caught.value
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return caught.value.response["Error"].get("Message", "")


def test_a_decider_and_a_worker_lead_a_booking_to_its_end(engine, swf, domain):
    run = start(swf, domain, input='{"room":7}', tagList=["vip"])
    task = decide(swf, domain, activity("charge", "c1"), executionContext="charging")
    assert task["workflowExecution"] == {"workflowId": "order-1", "runId": run}
    assert (task["startedEventId"], task["previousStartedEventId"]) == (3, 0)
    assert kinds(task["events"]) == ["WorkflowExecutionStarted", "DecisionTaskScheduled", "DecisionTaskStarted"]

    work = swf.poll_for_activity_task(domain=domain, taskList=WORKERS, identity="worker-1")
    assert (work["activityId"], work["activityType"]["name"], work["startedEventId"]) == ("c1", "charge", 6)
    assert swf.record_activity_task_heartbeat(taskToken=work["taskToken"], details="half")["cancelRequested"] is False
    swf.respond_activity_task_completed(taskToken=work["taskToken"], result='{"paid":true}')

    decide(swf, domain, decision("StartTimer", timerId="cool-off", startToFireTimeout="60", control="wait"))
    detail = swf.describe_workflow_execution(domain=domain, execution={"workflowId": "order-1", "runId": run})
    assert detail["openCounts"]["openTimers"] == 1
    assert detail["latestExecutionContext"] == "charging"
    assert detail["executionConfiguration"]["taskList"] == DECIDERS
    assert detail["executionInfo"]["tagList"] == ["vip"]
    engine.wait(60)
    swf.signal_workflow_execution(domain=domain, workflowId="order-1", signalName="upgrade", input="suite")
    task = decide(swf, domain, activity("confirm", "c2"), decision("RecordMarker", markerName="upgraded", details="x"))
    assert task["previousStartedEventId"] == 9

    work = swf.poll_for_activity_task(domain=domain, taskList=WORKERS, identity="worker-2")
    swf.respond_activity_task_failed(taskToken=work["taskToken"], reason="mail", details="no address")
    decide(swf, domain, decision("CompleteWorkflowExecution", result="booked"))

    events = history(swf, domain, run)
    assert kinds(events) == [
        "WorkflowExecutionStarted",
        "DecisionTaskScheduled",
        "DecisionTaskStarted",
        "DecisionTaskCompleted",
        "ActivityTaskScheduled",
        "ActivityTaskStarted",
        "ActivityTaskCompleted",
        "DecisionTaskScheduled",
        "DecisionTaskStarted",
        "DecisionTaskCompleted",
        "TimerStarted",
        "TimerFired",
        "DecisionTaskScheduled",
        "WorkflowExecutionSignaled",
        "DecisionTaskStarted",
        "DecisionTaskCompleted",
        "ActivityTaskScheduled",
        "MarkerRecorded",
        "ActivityTaskStarted",
        "ActivityTaskFailed",
        "DecisionTaskScheduled",
        "DecisionTaskStarted",
        "DecisionTaskCompleted",
        "WorkflowExecutionCompleted",
    ]
    started = attributes(events, "WorkflowExecutionStarted")
    assert (started["input"], started["parentInitiatedEventId"], started["tagList"]) == ('{"room":7}', 0, ["vip"])
    assert attributes(events, "ActivityTaskCompleted") == {
        "result": '{"paid":true}',
        "scheduledEventId": 5,
        "startedEventId": 6,
    }
    assert (events[11]["eventTimestamp"] - events[10]["eventTimestamp"]).total_seconds() == 60
    assert attributes(events, "TimerFired") == {"timerId": "cool-off", "startedEventId": 11}
    assert attributes(events, "WorkflowExecutionSignaled")["input"] == "suite"
    assert attributes(events, "ActivityTaskFailed")["reason"] == "mail"
    assert attributes(events, "WorkflowExecutionCompleted") == {"result": "booked", "decisionTaskCompletedEventId": 23}

    closed = swf.list_closed_workflow_executions(domain=domain, closeTimeFilter=EPOCH, tagFilter={"tag": "vip"})
    (info,) = closed["executionInfos"]
    assert (info["execution"]["runId"], info["closeStatus"], info["executionStatus"]) == (run, "COMPLETED", "CLOSED")
    assert swf.count_open_workflow_executions(domain=domain, startTimeFilter=EPOCH) | {"ResponseMetadata": 0} == {
        "count": 0,
        "truncated": False,
        "ResponseMetadata": 0,
    }


def test_a_poll_waits_for_a_task_and_is_answered_when_one_comes(engine, swf, domain):
    answers = []
    waiting = threading.Thread(
        target=lambda: answers.append(swf.poll_for_activity_task(domain=domain, taskList=WORKERS, identity="w"))
    )
    waiting.start()
    start(swf, domain)
    decide(swf, domain, activity("charge", "c1"))
    waiting.join(timeout=10)
    assert answers and answers[0]["activityId"] == "c1"


def test_a_poll_that_finds_nothing_says_so_after_a_minute(engine, swf, domain):
    answers = []
    waiting = threading.Thread(
        target=lambda: answers.append(swf.poll_for_decision_task(domain=domain, taskList=DECIDERS))
    )
    waiting.start()
    for _ in range(200):
        if not waiting.is_alive():
            break
        engine.wait(1)
        waiting.join(timeout=0.05)
    assert "taskToken" not in answers[0] and answers[0]["startedEventId"] == 0


def test_children_report_to_their_parent_and_continue_as_new(engine, swf, domain):
    run = start(swf, domain)
    decide(
        swf,
        domain,
        decision("StartChildWorkflowExecution", workflowType=BOOKING, workflowId="email-1", input="hello", control="c"),
        decision("StartChildWorkflowExecution", workflowType={"name": "ghost", "version": "1"}, workflowId="email-2"),
    )
    child = poll(swf, domain)
    while child["workflowExecution"]["workflowId"] != "email-1":
        swf.respond_decision_task_completed(taskToken=child["taskToken"], decisions=[])
        child = poll(swf, domain)
    swf.respond_decision_task_completed(
        taskToken=child["taskToken"],
        decisions=[decision("ContinueAsNewWorkflowExecution", input="again", tagList=["second"])],
    )
    events = history(swf, domain, child["workflowExecution"]["runId"], "email-1")
    continued = attributes(events, "WorkflowExecutionContinuedAsNew")
    second = continued["newExecutionRunId"]
    assert (continued["input"], continued["workflowType"], continued["tagList"]) == ("again", BOOKING, ["second"])
    started = attributes(history(swf, domain, second, "email-1"), "WorkflowExecutionStarted")
    assert started["continuedExecutionRunId"] == child["workflowExecution"]["runId"]
    assert started["parentWorkflowExecution"] == {"workflowId": "order-1", "runId": run}

    info = swf.describe_workflow_execution(domain=domain, execution={"workflowId": "email-1", "runId": second})
    assert info["executionInfo"]["parent"] == {"workflowId": "order-1", "runId": run}
    task = poll(swf, domain)
    while task["workflowExecution"]["workflowId"] != "email-1":
        swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[])
        task = poll(swf, domain)
    swf.respond_decision_task_completed(
        taskToken=task["taskToken"], decisions=[decision("FailWorkflowExecution", reason="bounced", details="550")]
    )
    events = history(swf, domain, run)
    failed = attributes(events, "StartChildWorkflowExecutionFailed")
    assert (failed["cause"], failed["initiatedEventId"]) == ("WORKFLOW_TYPE_DOES_NOT_EXIST", 0)
    heard = attributes(events, "ChildWorkflowExecutionFailed")
    assert (heard["reason"], heard["workflowExecution"]["runId"]) == ("bounced", second)
    assert events[heard["initiatedEventId"] - 1]["eventType"] == "StartChildWorkflowExecutionInitiated"
    assert events[heard["startedEventId"] - 1]["eventType"] == "ChildWorkflowExecutionStarted"


def test_every_timeout_writes_its_event(engine, swf, domain):
    run = start(swf, domain)
    decide(swf, domain, activity("charge", "never-taken"))
    engine.wait(60)
    timed_out = attributes(history(swf, domain, run), "ActivityTaskTimedOut")
    assert timed_out == {"timeoutType": "SCHEDULE_TO_START", "scheduledEventId": 5, "startedEventId": 0}

    decide(swf, domain, activity("charge", "silent"))
    work = swf.poll_for_activity_task(domain=domain, taskList=WORKERS)
    swf.record_activity_task_heartbeat(taskToken=work["taskToken"], details="10%")
    engine.wait(30)
    timed_out = attributes(history(swf, domain, run), "ActivityTaskTimedOut")
    assert (timed_out["timeoutType"], timed_out["details"]) == ("HEARTBEAT", "10%")
    message = refused("UnknownResourceFault", swf.respond_activity_task_completed, taskToken=work["taskToken"])
    assert message == f"Unknown activity, scheduledEventId = {timed_out['scheduledEventId']}"

    forgotten = poll(swf, domain)
    engine.wait(30)
    timed_out = attributes(history(swf, domain, run), "DecisionTaskTimedOut")
    assert (timed_out["timeoutType"], timed_out["startedEventId"]) == ("START_TO_CLOSE", forgotten["startedEventId"])
    refused("UnknownResourceFault", swf.respond_decision_task_completed, taskToken=forgotten["taskToken"])

    engine.wait(3600)
    events = history(swf, domain, run)
    assert attributes(events, "WorkflowExecutionTimedOut") == {"timeoutType": "START_TO_CLOSE", "childPolicy": "TERMINATE"}
    closed = swf.count_closed_workflow_executions(
        domain=domain, startTimeFilter=EPOCH, closeStatusFilter={"status": "TIMED_OUT"}
    )
    assert closed["count"] == 1


def test_a_close_decision_loses_against_a_signal_that_came_meanwhile(swf, domain):
    run = start(swf, domain)
    task = poll(swf, domain)
    swf.signal_workflow_execution(domain=domain, workflowId="order-1", runId=run, signalName="wait")
    swf.respond_decision_task_completed(
        taskToken=task["taskToken"], decisions=[decision("CompleteWorkflowExecution")]
    )
    events = history(swf, domain, run)
    assert kinds(events)[3:] == [
        "WorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "DecisionTaskCompleted",
        "CompleteWorkflowExecutionFailed",
    ]
    assert attributes(events, "CompleteWorkflowExecutionFailed")["cause"] == "UNHANDLED_DECISION"


def test_operators_cancel_and_terminate(swf, domain):
    run = start(swf, domain)
    swf.request_cancel_workflow_execution(domain=domain, workflowId="order-1")
    detail = swf.describe_workflow_execution(domain=domain, execution={"workflowId": "order-1", "runId": run})
    assert detail["executionInfo"]["cancelRequested"] is True
    decide(swf, domain, decision("CancelWorkflowExecution", details="as you wish"))
    events = history(swf, domain, run)
    assert attributes(events, "WorkflowExecutionCanceled")["details"] == "as you wish"

    run = start(swf, domain)
    decide(swf, domain, decision("StartChildWorkflowExecution", workflowType=BOOKING, workflowId="email-1"))
    swf.terminate_workflow_execution(
        domain=domain, workflowId="order-1", reason="operator", details="wrong room", childPolicy="REQUEST_CANCEL"
    )
    ended = attributes(history(swf, domain, run), "WorkflowExecutionTerminated")
    assert ended == {
        "reason": "operator",
        "details": "wrong room",
        "childPolicy": "REQUEST_CANCEL",
        "cause": "OPERATOR_INITIATED",
    }
    (child,) = swf.list_open_workflow_executions(domain=domain, startTimeFilter=EPOCH)["executionInfos"]
    asked = attributes(history(swf, domain, child["execution"]["runId"], "email-1"), "WorkflowExecutionCancelRequested")
    assert asked["cause"] == "CHILD_POLICY_APPLIED"
    message = refused(
        "UnknownResourceFault", swf.signal_workflow_execution, domain=domain, workflowId="order-1", runId=run, signalName="x"
    )
    assert message == f"Unknown execution: WorkflowExecution=[workflowId=order-1, runId={run}]"


def test_a_workflow_calls_a_function(engine, swf, domain):
    functions = engine.client("lambda")
    name = f"price-{uuid.uuid4().hex[:8]}"
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::123456789012:role/price",
        Handler="app.handler",
        Code={"ZipFile": b"PK\x05\x06" + b"\0" * 18},
    )
    run = start(swf, domain, lambdaRole="arn:aws:iam::123456789012:role/swf")
    decide(swf, domain, decision("ScheduleLambdaFunction", id="l1", name=name, input='{"room":7}'))
    detail = swf.describe_workflow_execution(domain=domain, execution={"workflowId": "order-1", "runId": run})
    assert detail["openCounts"]["openLambdaFunctions"] == 1
    engine.wait(60)
    events = history(swf, domain, run)
    assert kinds(events)[4:8] == [
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionCompleted",
        "DecisionTaskScheduled",
    ]
    completed = attributes(events, "LambdaFunctionCompleted")
    assert (completed["scheduledEventId"], completed["startedEventId"]) == (5, 6)
    decide(swf, domain, decision("ScheduleLambdaFunction", id="l2", name="ghost"))
    failed = attributes(history(swf, domain, run), "LambdaFunctionFailed")
    assert failed["reason"] == "ResourceNotFoundException"


def test_bad_input_is_answered_in_awss_words(swf, domain):
    message = refused("DomainAlreadyExistsFault", swf.register_domain, name=domain, workflowExecutionRetentionPeriodInDays="1")
    assert message == domain
    assert refused("UnknownResourceFault", swf.describe_domain, name="ghost") == "Unknown domain: ghost"
    message = refused(
        "TypeAlreadyExistsFault", swf.register_workflow_type, domain=domain, name="booking", version="1.0"
    )
    assert message == "WorkflowType=[name=booking, version=1.0]"
    message = refused(
        "UnknownResourceFault",
        swf.start_workflow_execution,
        domain=domain,
        workflowId="x",
        workflowType={"name": "ghost", "version": "1"},
    )
    assert message == "Unknown type: WorkflowType=[name=ghost, version=1]"
    swf.register_workflow_type(domain=domain, name="bare", version="1")
    bare = {"name": "bare", "version": "1"}
    refused("DefaultUndefinedFault", swf.start_workflow_execution, domain=domain, workflowId="x", workflowType=bare)
    start(swf, domain)
    refused(
        "WorkflowExecutionAlreadyStartedFault",
        swf.start_workflow_execution,
        domain=domain,
        workflowId="order-1",
        workflowType=BOOKING,
    )
    swf.deprecate_workflow_type(domain=domain, workflowType=bare)
    refused("TypeDeprecatedFault", swf.start_workflow_execution, domain=domain, workflowId="x", workflowType=bare)
    message = refused("ValidationException", swf.respond_activity_task_completed, taskToken="bogus")
    assert message == "Invalid token"
    message = refused("ValidationException", swf.list_domains, registrationStatus="NO")
    assert message == (
        "1 validation error detected: Value 'NO' at 'registrationStatus' failed to satisfy constraint: "
        "Member must satisfy enum value set: [REGISTERED, DEPRECATED]"
    )
    task = poll(swf, domain)
    message = refused(
        "ValidationException",
        swf.respond_decision_task_completed,
        taskToken=task["taskToken"],
        decisions=[decision("CompleteWorkflowExecution"), decision("RecordMarker", markerName="m")],
    )
    assert message == "Close must be last decision in list"
    message = refused("ValidationException", swf.list_closed_workflow_executions, domain=domain)
    assert message == "Must specify time filter"


def test_cloudwatch_counts_what_ended_and_what_waits(engine, swf, domain):
    start(swf, domain)
    decide(swf, domain, decision("CompleteWorkflowExecution"))
    start(swf, domain, "order-2")
    pending = swf.count_pending_decision_tasks(domain=domain, taskList=DECIDERS)
    assert (pending["count"], pending["truncated"]) == (1, False)
    engine.wait(600)
    metrics = engine.client("cloudwatch")
    listed = metrics.list_metrics(Namespace="AWS/SWF", Dimensions=[{"Name": "Domain", "Value": domain}])["Metrics"]
    names = {metric["MetricName"] for metric in listed}
    assert {"WorkflowsCompleted", "WorkflowsFailed", "DecisionTaskScheduleToStartTime", "PendingTasks"} <= names


SCENARIO = """
[[domain]]
name = "checkout"
[[workflow]]
domain = "checkout"
name = "order"
task_list = "deciders"
execution_timeout_s = 600
steps = [{ activity = "charge", retries = 2 }, { timer_s = 5 }, { activity = "ship" }]
[[activity]]
domain = "checkout"
name = "charge"
task_list = "cards"
schedule_to_start_s = 60
start_to_close_s = 60
[[activity]]
domain = "checkout"
name = "ship"
task_list = "cards"
schedule_to_start_s = 60
start_to_close_s = 60
[[decider]]
name = "brain"
domain = "checkout"
task_list = "deciders"
[[activity_worker]]
name = "hands"
domain = "checkout"
task_list = "cards"
slots = 20
service = { p50_ms = 300, p99_ms = 900 }
[[starter]]
name = "shop"
domain = "checkout"
workflow = "order"
per_s = 0.5
id_prefix = "order-"
"""


def test_a_scenario_has_deciders_workers_and_starters_that_faults_can_strike(engine, swf):
    engine.order("scenario", SCENARIO.encode())
    engine.wait(300)

    def closed(status):
        answer = swf.count_closed_workflow_executions(
            domain="checkout", startTimeFilter=EPOCH, closeStatusFilter={"status": status}
        )
        return answer["count"]

    before = closed("COMPLETED")
    assert before > 100 and closed("FAILED") == 0
    engine.order("fault", b'[[fault]]\nkind = "wrong-task-list"\ntarget = "hands"\ntask_list = "crads"\nuntil = "400s"\nat = "0s"')
    engine.wait(300)
    assert closed("FAILED") > 50, "nobody takes the charges: each is tried three times and then given up"
    assert swf.count_pending_activity_tasks(domain="checkout", taskList={"name": "cards"})["count"] > 0
    engine.wait(300)
    assert closed("COMPLETED") > before + 50, "the workers poll the right list again"
