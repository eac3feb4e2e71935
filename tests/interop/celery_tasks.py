"""The tasks of test_celery.py. What they do is written into the file that NOTES names, one JSON line each."""

import json
import os
import time

from celery import Celery

app = Celery("night", broker=os.environ["BROKER"])
app.conf.update(
    broker_transport_options={
        "region": os.environ["AWS_REGION"],
        "is_secure": False,
        "visibility_timeout": 6,
        "wait_time_seconds": 2,
        "polling_interval": 0.2,
        "queue_name_prefix": "night-",
    },
    broker_connection_retry_on_startup=True,
    task_default_queue="orders",
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
)


def note(**what):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(json.dumps(what) + "\n")


@app.task
def fulfil(order, hotel):
    note(order=order, hotel=hotel)


@app.task(bind=True, max_retries=3)
def flaky(self, order):
    note(order=order, attempt=self.request.retries)
    if self.request.retries < 2:
        raise self.retry(countdown=1)


@app.task
def slow(order, seconds):
    note(order=order, pid=os.getpid())
    time.sleep(seconds)
    note(order=order, done=os.getpid())
