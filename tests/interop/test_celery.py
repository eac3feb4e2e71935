"""Celery over its SQS transport, against `midwatch sim`: tasks are sent, worked, retried, and taken over from the dead."""

import base64
import json
import pathlib
import subprocess
import sys

import pytest
from conftest import boto_client, serving, wait_for

FOLDER = pathlib.Path(__file__).parent


class Night:
    """One broker, one file of notes, and workers that end with the test."""

    def __init__(self, url, env, folder):
        self.url = url
        self.notes_file = folder / "notes.jsonl"
        self.log = folder / "worker.log"
        broker = url.replace("http://", "sqs://test:test@")
        # The package of tests is not installed: workers find the tasks beside this file.
        self.env = env | {"BROKER": broker, "NOTES": str(self.notes_file), "PYTHONPATH": str(FOLDER)}
        self.workers = []

    def send(self, task, *arguments):
        """Sends a task from a process of its own, as an application would."""
        code = f"import celery_tasks; print(celery_tasks.{task}.delay(*{arguments!r}).id)"
        sent = subprocess.run([sys.executable, "-c", code], env=self.env, capture_output=True, text=True, timeout=60)
        assert sent.returncode == 0, sent.stderr
        return sent.stdout.strip()

    def work(self):
        command = [sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", "--pool", "solo", "-l", "info"]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        log = open(self.log, "a")
        worker = subprocess.Popen(command, env=self.env, cwd=self.notes_file.parent, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    def notes(self):
        text = self.notes_file.read_text() if self.notes_file.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def noted(self, is_so, seconds=60):
        def look():
            assert all(worker.poll() in (None, -9) for worker in self.workers), self.log.read_text()[-4000:]
            return is_so(self.notes()) and self.notes()

        return wait_for(look, seconds)

    def depth(self):
        """Visible and in flight, as boto3 reads them."""
        sqs = boto_client("sqs", self.url)
        url = sqs.get_queue_url(QueueName="night-orders")["QueueUrl"]
        read = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(read["ApproximateNumberOfMessages"]), int(read["ApproximateNumberOfMessagesNotVisible"])

    def end(self):
        for worker in self.workers:
            worker.kill()
            worker.wait()
        sqs = boto_client("sqs", self.url)
        for url in sqs.list_queues().get("QueueUrls", []):
            sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def night(midwatch, env, tmp_path):
    # Each test has an engine of its own: a queue's name is free again only a minute after it was deleted.
    with serving(midwatch) as url:
        night = Night(url, env, tmp_path)
        yield night
        night.end()


def test_tasks_wait_in_the_queue_and_are_worked_once(night):
    ids = [night.send("fulfil", n, f"hôtel {n}") for n in range(3)]
    assert night.depth() == (3, 0)
    sqs = boto_client("sqs", night.url)
    [url] = sqs.list_queues(QueueNamePrefix="night-")["QueueUrls"]
    [message] = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
    sent = json.loads(base64.b64decode(message["Body"]))
    assert sent["headers"]["id"] in ids and sent["headers"]["task"] == "celery_tasks.fulfil"
    night.work()
    notes = night.noted(lambda notes: len(notes) >= 3)
    assert sorted(notes, key=lambda note: note["order"]) == [{"order": n, "hotel": f"hôtel {n}"} for n in range(3)]
    wait_for(lambda: night.depth() == (0, 0))
    assert len(night.notes()) == 3


def test_a_task_is_retried_until_it_is_done(night):
    night.work()
    night.send("flaky", 7)
    notes = night.noted(lambda notes: len(notes) >= 3)
    assert notes == [{"order": 7, "attempt": n} for n in range(3)]
    wait_for(lambda: night.depth() == (0, 0))


def test_a_task_whose_worker_dies_is_worked_by_another(night):
    first = night.work()
    night.send("slow", 9, 3)
    night.noted(lambda notes: notes and notes[0] == {"order": 9, "pid": first.pid})
    first.kill()
    first.wait()
    assert night.depth() == (0, 1), "it is in flight until its visibility timeout"
    second = night.work()
    notes = night.noted(lambda notes: {"order": 9, "done": second.pid} in notes)
    assert {"order": 9, "done": first.pid} not in notes
    wait_for(lambda: night.depth() == (0, 0))
