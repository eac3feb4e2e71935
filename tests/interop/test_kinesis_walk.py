"""A consumer written as consumer libraries are (leases, parents before children, checkpoints), against the engine,
while producers write and the stream is split, merged and resized under it: nothing lost, nothing repeated, each key in
order."""

import collections
import threading
import time

import pytest
from botocore.exceptions import ClientError
from test_boto3 import active, client, fresh, serve, shards

KEYS = 40


@pytest.fixture(scope="module")
def endpoint():
    yield from serve("--speed", "20")


class Producers:
    """Threads that number what they put, key by key, and put again what the stream refused."""

    def __init__(self, endpoint, stream, count=3):
        self.stopping = threading.Event()
        self.accepted = collections.Counter()
        self.failures = []
        self.threads = [threading.Thread(target=self.put, args=(endpoint, stream, n, count)) for n in range(count)]
        for thread in self.threads:
            thread.start()

    def put(self, endpoint, stream, n, count):
        kinesis = client(endpoint, "kinesis", attempts=10)
        mine = [f"key-{i}" for i in range(n, KEYS, count)]
        try:
            while not self.stopping.is_set():
                for key in mine:
                    data = f"{key}/{self.accepted[key]}".encode()
                    kinesis.put_record(StreamName=stream, PartitionKey=key, Data=data)
                    self.accepted[key] += 1
        except Exception as error:
            self.failures.append(error)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        assert self.failures == []


class Walker:
    """Reads each shard to its end and only then its children; keeps a checkpoint a shard, and may be killed."""

    def __init__(self, endpoint, stream):
        self.kinesis = client(endpoint, "kinesis", attempts=10)
        self.stream = stream
        self.checkpoints, self.ended = {}, set()
        self.seen = []
        self.order = []

    def ready(self):
        found = shards(self.kinesis, self.stream)
        parents = {s["ShardId"]: {s[k] for k in ("ParentShardId", "AdjacentParentShardId") if k in s} for s in found}
        return [shard for shard, of in parents.items() if shard not in self.ended and of & parents.keys() <= self.ended]

    def walk(self, until_idle=False):
        """One round over every shard that may be read; True when there was nothing more to read."""
        idle = True
        for shard in self.ready():
            if shard not in self.order:
                self.order.append(shard)
            idle &= self.read(shard)
        return idle

    def read(self, shard):
        after = self.checkpoints.get(shard)
        start = {"ShardIteratorType": "TRIM_HORIZON"} if after is None else {
            "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
        iterator = self.kinesis.get_shard_iterator(StreamName=self.stream, ShardId=shard, **start)["ShardIterator"]
        quiet = True
        for _ in range(5):
            answer = self.kinesis.get_records(ShardIterator=iterator, Limit=500)
            for record in answer["Records"]:
                self.seen.append(record["Data"].decode())
                self.checkpoints[shard] = record["SequenceNumber"]
                quiet = False
            iterator = answer.get("NextShardIterator")
            if iterator is None:
                assert answer["ChildShards"], "a closed shard names its children"
                self.ended.add(shard)
                return False
            if answer["MillisBehindLatest"] == 0:
                break
        return quiet


def reshard(kinesis, stream):
    """A split, a merge of its children, a doubling and a halving, one after the other."""
    first = [s for s in shards(kinesis, stream) if "EndingSequenceNumber" not in s["SequenceNumberRange"]][0]
    low, high = (int(first["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
    kinesis.split_shard(StreamName=stream, ShardToSplit=first["ShardId"], NewStartingHashKey=str((low + high) // 2))
    active(kinesis, stream)
    children = [s["ShardId"] for s in shards(kinesis, stream) if s.get("ParentShardId") == first["ShardId"]]
    kinesis.merge_shards(StreamName=stream, ShardToMerge=children[0], AdjacentShardToMerge=children[1])
    active(kinesis, stream)
    for target in (4, 2):
        kinesis.update_shard_count(StreamName=stream, TargetShardCount=target, ScalingType="UNIFORM_SCALING")
        assert active(kinesis, stream)["OpenShardCount"] == target


def test_reshards_under_load_lose_and_repeat_nothing(endpoint):
    kinesis = client(endpoint, "kinesis", attempts=10)
    stream = fresh("bids")
    kinesis.create_stream(StreamName=stream, ShardCount=2)
    active(kinesis, stream)
    producers = Producers(endpoint, stream)
    walker = Walker(endpoint, stream)
    failures = []

    def change():
        try:
            reshard(kinesis, stream)
        except ClientError as error:
            failures.append(error)

    changing = threading.Thread(target=change)
    changing.start()
    while changing.is_alive():
        walker.walk()
        time.sleep(0.05)
    assert failures == []
    producers.stop()
    while not walker.walk():
        pass

    assert sum(producers.accepted.values()) > 500, "there was load"
    by_key = collections.defaultdict(list)
    for data in walker.seen:
        key, number = data.split("/")
        by_key[key].append(int(number))
    # Each key in the order in which it was put: nothing lost, nothing twice, across every reshard.
    assert {key: list(range(count)) for key, count in producers.accepted.items()} == dict(by_key)
    found = {s["ShardId"]: s for s in shards(kinesis, stream)}
    assert set(walker.order) == found.keys()
    for position, shard in enumerate(walker.order):
        for parent in ("ParentShardId", "AdjacentParentShardId"):
            if parent in found[shard]:
                assert walker.order.index(found[shard][parent]) < position
    assert walker.ended == {s for s, shard in found.items() if "EndingSequenceNumber" in shard["SequenceNumberRange"]}


def test_fan_out_walks_a_split_from_push_to_push(endpoint):
    """The same by subscription: a closed shard's last event says where to go on."""
    kinesis = client(endpoint, "kinesis", attempts=10)
    stream = fresh("bids")
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    arn = active(kinesis, stream)["StreamARN"]
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="walk")["Consumer"]["ConsumerARN"]
    while kinesis.describe_stream_consumer(ConsumerARN=consumer)["ConsumerDescription"]["ConsumerStatus"] != "ACTIVE":
        time.sleep(0.1)

    def put(first, last):
        for i in range(first, last):
            kinesis.put_record(StreamName=stream, PartitionKey=f"{i}", Data=f"{i}".encode())

    put(0, 50)
    kinesis.split_shard(StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
    active(kinesis, stream)
    put(50, 100)
    seen, todo = [], ["shardId-000000000000"]
    while todo:
        events = kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId=todo.pop(0),
                                            StartingPosition={"Type": "TRIM_HORIZON"})["EventStream"]
        for event in events:
            event = event["SubscribeToShardEvent"]
            seen += [int(record["Data"]) for record in event["Records"]]
            todo += [child["ShardId"] for child in event.get("ChildShards", [])]
            if "ChildShards" not in event and not event["Records"]:
                break  # an open shard's tip
        events.close()
    assert sorted(seen) == list(range(100))
    assert set(seen[:50]) == set(range(50)), "the parent's records come first"
