// sqs-consumer, which many services for Node.js read their queues with, against `midwatch sim`.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageBatchCommand,
} from "@aws-sdk/client-sqs";
import { Consumer } from "sqs-consumer";

const sqs = new SQSClient({ maxAttempts: 1 });

async function queue(name, Attributes) {
  const made = await sqs.send(new CreateQueueCommand({ QueueName: `${name}-${randomUUID().slice(0, 8)}`, Attributes }));
  return made.QueueUrl;
}

async function attributes(QueueUrl) {
  return (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }))).Attributes;
}

async function send(QueueUrl, bodies) {
  const Entries = bodies.map((MessageBody, n) => ({ Id: String(n), MessageBody }));
  const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  assert.equal(sent.Successful.length, bodies.length);
}

async function stopped(consumer) {
  const gone = once(consumer, "stopped");
  consumer.stop();
  await gone;
}

async function until(what, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  while (!(await what())) {
    assert.ok(Date.now() < end, `not within ${seconds} s: ${what}`);
    await sleep(100);
  }
}

async function isEmpty(QueueUrl) {
  const { ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible } = await attributes(QueueUrl);
  return ApproximateNumberOfMessages === "0" && ApproximateNumberOfMessagesNotVisible === "0";
}

test("each message is handled once and deleted, and an empty queue is waited at", async () => {
  const queueUrl = await queue("orders", { VisibilityTimeout: "30" });
  const bodies = Array.from({ length: 10 }, (_, n) => `order ${n}`);
  await send(queueUrl, bodies);
  const handled = [];
  const consumer = Consumer.create({
    queueUrl,
    sqs,
    batchSize: 4,
    waitTimeSeconds: 1,
    messageSystemAttributeNames: ["ApproximateReceiveCount"],
    handleMessage: async (message) => {
      assert.equal(message.Attributes.ApproximateReceiveCount, "1");
      handled.push(message.Body);
    },
  });
  const errors = [];
  for (const event of ["error", "processing_error", "timeout_error"]) consumer.on(event, (error) => errors.push(error));
  consumer.start();
  await once(consumer, "empty");
  await stopped(consumer);
  assert.deepEqual(handled.sort(), bodies.sort());
  assert.deepEqual(errors, []);
  assert.ok(await isEmpty(queueUrl));
});

test("a message that cannot be handled comes again and ends in the dead-letter queue", async () => {
  const dead = await queue("orders-dlq", {});
  const deadLetterTargetArn = (await attributes(dead)).QueueArn;
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 2 });
  const queueUrl = await queue("orders", { VisibilityTimeout: "30", RedrivePolicy });
  await send(queueUrl, ["good", "gift"]);
  const seen = [];
  const consumer = Consumer.create({
    queueUrl,
    sqs,
    waitTimeSeconds: 1,
    // On an error it makes the message visible at once.
    terminateVisibilityTimeout: true,
    handleMessage: async (message) => {
      seen.push(message.Body);
      if (message.Body === "gift") throw new Error("cannot read gift orders");
    },
  });
  const errors = [];
  consumer.on("processing_error", (error) => errors.push(error.message));
  consumer.start();
  await until(async () => (await attributes(dead)).ApproximateNumberOfMessages === "1");
  await stopped(consumer);
  assert.deepEqual(seen.sort(), ["gift", "gift", "good"]);
  assert.equal(errors.length, 2);
  assert.ok(await isEmpty(queueUrl));
  const { Messages } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: dead, MessageSystemAttributeNames: ["All"] }),
  );
  assert.equal(Messages[0].Body, "gift");
  assert.equal(Messages[0].Attributes.DeadLetterQueueSourceArn, (await attributes(queueUrl)).QueueArn);
});

test("a slow handler keeps its message by heartbeats", async () => {
  const queueUrl = await queue("slow", { VisibilityTimeout: "2" });
  await send(queueUrl, ["slow"]);
  let handled = 0;
  const consumer = Consumer.create({
    queueUrl,
    sqs,
    waitTimeSeconds: 1,
    visibilityTimeout: 2,
    heartbeatInterval: 1,
    handleMessage: async () => {
      handled += 1;
      await sleep(4500);
    },
  });
  consumer.start();
  await once(consumer, "message_processed");
  await once(consumer, "empty");
  await stopped(consumer);
  assert.equal(handled, 1);
  assert.ok(await isEmpty(queueUrl));
});
