// The AWS SDK for JavaScript, version 3, against `midwatch sim`: its own signing, protocols, checksums and paginators.
// AWS_ENDPOINT_URL says where the engine listens.

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CloudWatchClient,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  PutMetricDataCommand,
  paginateListMetrics,
} from "@aws-sdk/client-cloudwatch";
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  ResourceNotFoundException,
  SplitShardCommand,
  paginateListStreams,
  waitUntilStreamExists,
} from "@aws-sdk/client-kinesis";
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ResourceNotFoundException as FunctionNotFound,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageBatchCommand,
  SendMessageCommand,
  paginateListQueues,
} from "@aws-sdk/client-sqs";

const settings = { maxAttempts: 1 };
const sqs = new SQSClient(settings);
const kinesis = new KinesisClient({ ...settings, maxAttempts: 4 });
const functions = new LambdaClient(settings);
const cloudwatch = new CloudWatchClient(settings);

const fresh = (prefix) => `${prefix}-${randomUUID().slice(0, 8)}`;
const text = (bytes) => Buffer.from(bytes).toString();

async function until(what, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await what();
    if (found) return found;
    assert.ok(Date.now() < end, `not within ${seconds} s: ${what}`);
    await sleep(100);
  }
}

async function all(pages, member) {
  const found = [];
  for await (const page of pages) found.push(...(page[member] ?? []));
  return found;
}

async function queue(attributes = {}) {
  const made = await sqs.send(new CreateQueueCommand({ QueueName: fresh("orders"), Attributes: attributes }));
  return made.QueueUrl;
}

test("a message comes back as it was sent, with its attributes and its digest", async () => {
  const QueueUrl = await queue({ VisibilityTimeout: "7" });
  const MessageBody = JSON.stringify({ hotel: "Grand é", nights: 3 });
  const MessageAttributes = {
    kind: { DataType: "String", StringValue: "gift" },
    cents: { DataType: "Number", StringValue: "18900" },
    raw: { DataType: "Binary", BinaryValue: new Uint8Array([0, 255, 7]) },
  };
  // The client itself checks the MD5 sums of body and attributes.
  const sent = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageAttributes }));
  assert.equal(sent.MD5OfMessageBody, createHash("md5").update(MessageBody).digest("hex"));
  const { Messages } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["All"],
      WaitTimeSeconds: 2,
    }),
  );
  assert.equal(Messages.length, 1);
  const [message] = Messages;
  assert.equal(message.MessageId, sent.MessageId);
  assert.equal(message.Body, MessageBody);
  assert.equal(message.MessageAttributes.kind.StringValue, "gift");
  assert.deepEqual([...message.MessageAttributes.raw.BinaryValue], [0, 255, 7]);
  assert.equal(message.Attributes.ApproximateReceiveCount, "1");
  const ReceiptHandle = message.ReceiptHandle;
  await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
  const again = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ["ApproximateReceiveCount"], WaitTimeSeconds: 2 }),
  );
  assert.equal(again.Messages[0].Attributes.ApproximateReceiveCount, "2");
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: again.Messages[0].ReceiptHandle }));
  const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "VisibilityTimeout"];
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
  assert.deepEqual(Object.fromEntries(AttributeNames.map((name) => [name, Attributes[name]])), {
    ApproximateNumberOfMessages: "0",
    ApproximateNumberOfMessagesNotVisible: "0",
    VisibilityTimeout: "7",
  });
});

test("a batch says of each entry what became of it", async () => {
  const QueueUrl = await queue();
  const Entries = [0, 1, 2].map((n) => ({ Id: `e${n}`, MessageBody: n === 1 ? "\u{1}" : `body ${n}` }));
  const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  assert.deepEqual(sent.Successful.map((entry) => entry.Id).sort(), ["e0", "e2"]);
  assert.equal(sent.Failed[0].Id, "e1");
  assert.equal(sent.Failed[0].SenderFault, true);
  const found = new Map();
  await until(async () => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    for (const message of Messages) found.set(message.Body, message.ReceiptHandle);
    return found.size === 2;
  });
  assert.deepEqual([...found.keys()].sort(), ["body 0", "body 2"]);
  const handles = [...found.values()].map((ReceiptHandle, n) => ({ Id: String(n), ReceiptHandle }));
  const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: handles }));
  assert.equal(deleted.Successful.length, 2);
});

test("a FIFO queue keeps each group's order and swallows what is sent twice", async () => {
  const Attributes = { FifoQueue: "true", ContentBasedDeduplication: "true" };
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `${fresh("bids")}.fifo`, Attributes }));
  for (const body of ["1", "2", "2", "3"]) {
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body, MessageGroupId: "hotel-1" }));
  }
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  assert.deepEqual(Messages.map((message) => message.Body), ["1", "2", "3"]);
});

test("queues are listed page by page, and an unknown one is an error of its own class", async () => {
  const prefix = fresh("page");
  const made = [];
  for (let n = 0; n < 5; n += 1) {
    made.push((await sqs.send(new CreateQueueCommand({ QueueName: `${prefix}-${n}` }))).QueueUrl);
  }
  const pages = paginateListQueues({ client: sqs, pageSize: 2 }, { QueueNamePrefix: prefix });
  assert.deepEqual((await all(pages, "QueueUrls")).sort(), made.sort());
  await assert.rejects(sqs.send(new GetQueueUrlCommand({ QueueName: "no-such-queue" })), (error) => {
    assert.ok(error instanceof QueueDoesNotExist, error.name);
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.equal(error.message, "The specified queue does not exist.");
    return true;
  });
});

test("a stream keeps records in order, and its children take over after a split", async () => {
  const StreamName = fresh("bids");
  await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  await waitUntilStreamExists({ client: kinesis, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { StreamName });
  const put = await kinesis.send(
    new PutRecordCommand({ StreamName, PartitionKey: "hotel-1", Data: Buffer.from("first é") }),
  );
  assert.equal(put.ShardId, "shardId-000000000000");
  const Records = ["a", "b", "c"].map((data) => ({ PartitionKey: "hotel-1", Data: Buffer.from(data) }));
  const batch = await kinesis.send(new PutRecordsCommand({ StreamName, Records }));
  assert.equal(batch.FailedRecordCount, 0);
  const { ShardIterator } = await kinesis.send(
    new GetShardIteratorCommand({ StreamName, ShardId: put.ShardId, ShardIteratorType: "TRIM_HORIZON" }),
  );
  const read = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
  assert.deepEqual(read.Records.map((record) => text(record.Data)), ["first é", "a", "b", "c"]);
  assert.equal(read.Records[0].SequenceNumber, put.SequenceNumber);
  assert.ok(Math.abs(Date.now() - read.Records[0].ApproximateArrivalTimestamp.getTime()) < 3_600_000);
  assert.equal(read.MillisBehindLatest, 0);
  const NewStartingHashKey = (1n << 127n).toString();
  await kinesis.send(new SplitShardCommand({ StreamName, ShardToSplit: put.ShardId, NewStartingHashKey }));
  await until(async () => {
    const summary = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
    const { StreamStatus, OpenShardCount } = summary.StreamDescriptionSummary;
    return StreamStatus === "ACTIVE" && OpenShardCount === 2;
  }, 60);
  const { Shards } = await kinesis.send(new ListShardsCommand({ StreamName }));
  assert.deepEqual(Shards.map((shard) => shard.ParentShardId), [undefined, put.ShardId, put.ShardId]);
  assert.equal(Shards[2].HashKeyRange.StartingHashKey, NewStartingHashKey);
  const ended = await kinesis.send(new GetRecordsCommand({ ShardIterator: read.NextShardIterator }));
  assert.equal(ended.NextShardIterator, undefined);
  assert.deepEqual(ended.ChildShards.map((child) => child.ParentShards), [[put.ShardId], [put.ShardId]]);
  assert.ok((await all(paginateListStreams({ client: kinesis, pageSize: 1 }, {}), "StreamNames")).includes(StreamName));
  await kinesis.send(new DeleteStreamCommand({ StreamName }));
  await until(() =>
    kinesis.send(new DescribeStreamSummaryCommand({ StreamName })).then(
      () => false,
      (error) => error instanceof ResourceNotFoundException && error.message.includes(StreamName),
    ),
  );
});

// An empty zip archive: what the engine keeps of a package is its size and digest.
const ZipFile = Buffer.from("504b0506000000000000000000000000000000000000", "hex");

test("a function answers, fails to be found, and works a queue", async () => {
  const FunctionName = fresh("settle-bid");
  const Role = "arn:aws:iam::123456789012:role/settle";
  const made = await functions.send(
    new CreateFunctionCommand({ FunctionName, Role, Runtime: "nodejs22.x", Handler: "app.handler", Code: { ZipFile } }),
  );
  assert.equal(made.FunctionName, FunctionName);
  assert.equal(made.CodeSha256, createHash("sha256").update(ZipFile).digest("base64"));
  const waiting = { client: functions, maxWaitTime: 30, minDelay: 1, maxDelay: 1 };
  await waitUntilFunctionActiveV2(waiting, { FunctionName });
  const Payload = JSON.stringify({ bid: 100, hotel: "Grand é" });
  const answer = await functions.send(new InvokeCommand({ FunctionName, Payload, LogType: "Tail" }));
  assert.equal(answer.StatusCode, 200);
  assert.equal(answer.FunctionError, undefined);
  assert.equal(answer.ExecutedVersion, "$LATEST");
  assert.deepEqual(JSON.parse(text(answer.Payload)), JSON.parse(Payload));
  assert.match(Buffer.from(answer.LogResult, "base64").toString(), /^START RequestId: .*REPORT RequestId: /s);
  const { Configuration } = await functions.send(new GetFunctionCommand({ FunctionName }));
  assert.equal(Configuration.Runtime, "nodejs22.x");
  const QueueUrl = await queue({ VisibilityTimeout: "30" });
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  const mapping = await functions.send(
    new CreateEventSourceMappingCommand({ EventSourceArn: Attributes.QueueArn, FunctionName, BatchSize: 2 }),
  );
  assert.equal(mapping.EventSourceArn, Attributes.QueueArn);
  const Entries = [0, 1, 2, 3, 4].map((n) => ({ Id: String(n), MessageBody: `${n}` }));
  await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
  await until(async () => {
    const depth = (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }))).Attributes;
    return Object.values(depth).every((count) => count === "0");
  }, 60);
  await functions.send(new DeleteFunctionCommand({ FunctionName }));
  await assert.rejects(functions.send(new InvokeCommand({ FunctionName })), (error) => {
    assert.ok(error instanceof FunctionNotFound, error.name);
    assert.equal(error.$metadata.httpStatusCode, 404);
    assert.match(error.message, new RegExp(`^Function not found: arn:aws:lambda:.*:function:${FunctionName}:\\$LATEST$`));
    return true;
  });
});

test("metrics are put, listed by pages and read back by both ways", async () => {
  const Namespace = fresh("Hotel");
  const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 180_000);
  const datum = (hotel, Value) => ({
    MetricName: "Bids",
    Dimensions: [{ Name: "Hotel", Value: hotel }],
    Timestamp: minute,
    Value,
    Unit: "Count",
  });
  const MetricData = [datum("h-1", 3), datum("h-1", 5), datum("h-2", 11)];
  await cloudwatch.send(new PutMetricDataCommand({ Namespace, MetricData }));
  const listed = await until(async () => {
    const found = await all(paginateListMetrics({ client: cloudwatch }, { Namespace }), "Metrics");
    return found.length === 2 && found;
  });
  assert.deepEqual(listed.map((metric) => metric.Dimensions[0].Value).sort(), ["h-1", "h-2"]);
  const Dimensions = [{ Name: "Hotel", Value: "h-1" }];
  const StartTime = new Date(minute.getTime() - 60_000);
  const EndTime = new Date(minute.getTime() + 120_000);
  const stat = (Stat) => ({ Metric: { Namespace, MetricName: "Bids", Dimensions }, Period: 60, Stat });
  const data = await cloudwatch.send(
    new GetMetricDataCommand({
      StartTime,
      EndTime,
      MetricDataQueries: [
        { Id: "sum", MetricStat: stat("Sum") },
        { Id: "most", MetricStat: stat("Maximum"), ReturnData: false },
        { Id: "twice", Expression: "sum * 2 + most" },
      ],
    }),
  );
  const values = Object.fromEntries(data.MetricDataResults.map((result) => [result.Id, result.Values]));
  assert.deepEqual(values, { sum: [8], twice: [21] });
  assert.deepEqual(data.MetricDataResults[0].Timestamps, [minute]);
  const statistics = await cloudwatch.send(
    new GetMetricStatisticsCommand({
      Namespace,
      MetricName: "Bids",
      Dimensions,
      StartTime,
      EndTime,
      Period: 60,
      Statistics: ["Average", "SampleCount"],
    }),
  );
  assert.deepEqual(
    statistics.Datapoints.map(({ Average, SampleCount, Unit }) => [Average, SampleCount, Unit]),
    [[4, 2, "Count"]],
  );
});
