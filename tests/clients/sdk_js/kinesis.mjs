// @aws-sdk/client-kinesis against a server: node kinesis.mjs ENDPOINT. Over HTTP/2 with prior knowledge, its default, and
// once over HTTP/1.1. A line for each case, then "N passed, N failed, N skipped".
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  CreateStreamCommand, DeleteStreamCommand, DescribeStreamConsumerCommand, DescribeStreamSummaryCommand,
  GetRecordsCommand, GetShardIteratorCommand, KinesisClient, ListShardsCommand, paginateListStreams, PutRecordCommand,
  PutRecordsCommand, RegisterStreamConsumerCommand, ResourceInUseException, ResourceNotFoundException,
  SplitShardCommand, SubscribeToShardCommand, waitUntilStreamExists, waitUntilStreamNotExists,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SignatureV4 } from '@smithy/signature-v4';

const endpoint = process.argv[2];
const region = process.env.AWS_REGION;
const credentials = { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY };
const checksSignatures = process.env.CHECKS_SIGNATURES === '1';
const kinesis = new KinesisClient({ endpoint, region, credentials, maxAttempts: 2 });
const subject = `JavaScript, ${new URL(endpoint).protocol.slice(0, -1)}`;
let passed = 0;
let failed = 0;

async function check(name, run) {
  const began = Date.now();
  try {
    await run();
    passed += 1;
    console.log(`ok    ${subject}: ${name} (${((Date.now() - began) / 1000).toFixed(2)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${subject}: ${name}\n      ${String(error.stack).slice(0, 2000).replaceAll('\n', '\n      ')}`);
  }
}

const StreamName = `js-${Date.now().toString(36)}-${randomBytes(2).toString('hex')}`;
const shardId = (index) => `shardId-${String(index).padStart(12, '0')}`;
const text = (data) => Buffer.from(data).toString();

async function readShard(index, client = kinesis) {
  const records = [];
  let page = {};
  let { ShardIterator } = await client.send(new GetShardIteratorCommand({
    StreamName, ShardId: shardId(index), ShardIteratorType: 'TRIM_HORIZON' }));
  do {
    page = await client.send(new GetRecordsCommand({ ShardIterator }));
    records.push(...page.Records);
    ShardIterator = page.NextShardIterator;
  } while (ShardIterator && (page.Records.length > 0 || page.MillisBehindLatest > 0));
  return { records, childShards: page.ChildShards };
}

await check('the client speaks HTTP/2', async () => {
  assert.equal(kinesis.config.requestHandler.metadata.handlerProtocol, 'h2');
});

await check('create, wait, summary, list', async () => {
  await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 2 }));
  await waitUntilStreamExists({ client: kinesis, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { StreamName });
  const { StreamDescriptionSummary: summary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
  assert.equal(summary.StreamStatus, 'ACTIVE');
  assert.equal(summary.OpenShardCount, 2);
  const names = [];
  for await (const page of paginateListStreams({ client: kinesis, pageSize: 2 }, {})) names.push(...page.StreamNames);
  assert.ok(names.includes(StreamName));
});

await check('put and get: text, all byte values, nothing, a key of two scripts', async () => {
  const sent = [Buffer.from('hello'), Buffer.from(Array.from({ length: 256 }, (_, i) => i)), Buffer.alloc(0)];
  for (const Data of sent) {
    await kinesis.send(new PutRecordCommand({ StreamName, PartitionKey: 'ключ 統', ExplicitHashKey: '0', Data }));
  }
  const { records } = await readShard(0);
  assert.deepEqual(records.map((record) => Buffer.from(record.Data)), sent);
  assert.deepEqual(new Set(records.map((record) => record.PartitionKey)), new Set(['ключ 統']));
  assert.ok(records.every((record) => Math.abs(record.ApproximateArrivalTimestamp - Date.now()) < 60_000));
});

await check('50 puts at once on one connection: all acknowledged, all read, numbers as acknowledged', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => kinesis.send(new PutRecordCommand({
    StreamName, PartitionKey: `parallel-${i}`, Data: Buffer.from(`parallel-${i}`) }))));
  const got = new Map();
  for (const shard of [0, 1]) {
    for (const record of (await readShard(shard)).records) got.set(record.SequenceNumber, text(record.Data));
  }
  assert.equal(new Set(answers.map((answer) => answer.SequenceNumber)).size, 50);
  answers.forEach((answer, i) => assert.equal(got.get(answer.SequenceNumber), `parallel-${i}`));
});

await check('20 PutRecords of 500 at once: every record once, each batch in its order', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, (_, batch) => kinesis.send(new PutRecordsCommand({
    StreamName, Records: Array.from({ length: 500 }, (_, i) => ({
      PartitionKey: `${i}`, Data: Buffer.from(`batch-${batch}-${i}`) })) }))));
  assert.ok(answers.every((answer) => answer.FailedRecordCount === 0));
  let total = 0;
  for (const shard of [0, 1]) {
    const last = new Map();
    const { records } = await readShard(shard);
    let before = 0n;
    for (const record of records) {
      const number = BigInt(record.SequenceNumber);
      assert.ok(number > before, 'numbers rise');
      before = number;
      const match = /^batch-(\d+)-(\d+)$/.exec(text(record.Data));
      if (!match) continue;
      assert.equal(answers[match[1]].Records[match[2]].SequenceNumber, record.SequenceNumber);
      assert.ok(Number(match[2]) > (last.get(match[1]) ?? -1), 'a batch keeps its order');
      last.set(match[1], Number(match[2]));
      total += 1;
    }
  }
  assert.equal(total, 10_000);
});

await check('a record of 8 MiB, which crosses the flow-control windows both ways', async () => {
  const Data = randomBytes(8 * 1024 * 1024);
  const put = await kinesis.send(new PutRecordCommand({ StreamName, PartitionKey: 'big', Data }));
  const { ShardIterator } = await kinesis.send(new GetShardIteratorCommand({ StreamName, ShardId: put.ShardId,
    ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: put.SequenceNumber }));
  const { Records: [record] } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
  assert.equal(createHash('sha256').update(record.Data).digest('hex'),
    createHash('sha256').update(Data).digest('hex'));
});

await check('errors are the service\'s own', async () => {
  await assert.rejects(kinesis.send(new DescribeStreamSummaryCommand({ StreamName: 'nowhere' })), (error) => {
    assert.ok(error instanceof ResourceNotFoundException);
    assert.match(error.message, /^Stream nowhere under account \d{12} not found\.$/);
    assert.equal(error.$metadata.httpStatusCode, 400);
    return true;
  });
});

await check('a split shard tells its children', async () => {
  await kinesis.send(new SplitShardCommand({ StreamName, ShardToSplit: shardId(0), NewStartingHashKey: '1000' }));
  await waitUntilStreamExists({ client: kinesis, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { StreamName });
  const { childShards } = await readShard(0);
  assert.deepEqual(childShards.map((child) => [child.ShardId, child.ParentShards]),
    [[shardId(2), [shardId(0)]], [shardId(3), [shardId(0)]]]);
  const { Shards } = await kinesis.send(new ListShardsCommand({ StreamName, ShardFilter: { Type: 'AT_LATEST' } }));
  assert.deepEqual(Shards.map((shard) => shard.ShardId), [1, 2, 3].map(shardId));
});

await check('the same client over HTTP/1.1', async () => {
  const http1 = new KinesisClient({ endpoint, region, credentials, requestHandler: new NodeHttpHandler() });
  const put = await http1.send(new PutRecordCommand({ StreamName, PartitionKey: 'k', ExplicitHashKey: '0',
    Data: Buffer.from('over 1.1') }));
  const { records } = await readShard(Number(put.ShardId.slice(8)), http1);
  assert.equal(text(records.at(-1).Data), 'over 1.1');
  http1.destroy();
});

if (checksSignatures) {
  await check('a wrong secret is refused over HTTP/2 too', async () => {
    const wrong = new KinesisClient({ endpoint, region, maxAttempts: 1,
      credentials: { ...credentials, secretAccessKey: 'wrong' } });
    await assert.rejects(wrong.send(new DescribeStreamSummaryCommand({ StreamName })),
      { name: 'InvalidSignatureException' });
    wrong.destroy();
  });

  await check('a request presigned by the SDK\'s signer passes', async () => {
    const signer = new SignatureV4({ service: 'kinesis', region, credentials, sha256: Sha256 });
    const { protocol, hostname, port, host } = new URL(endpoint);
    const headers = { host, 'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Kinesis_20131202.ListStreams' };
    const signed = await signer.presign({ method: 'POST', protocol, hostname, port: Number(port), path: '/', query: {},
      headers, body: '{}' }, { expiresIn: 60, unsignableHeaders: new Set(), unhoistableHeaders: new Set(['x-amz-target']),
      signableHeaders: new Set(['host', 'content-type', 'x-amz-target']) });
    const answer = await fetch(`${endpoint}/?${new URLSearchParams(signed.query)}`,
      { method: 'POST', headers: signed.headers, body: '{}' });
    assert.equal(answer.status, 200, await answer.text());
  });
}

await check('enhanced fan-out: four shards on one connection, each to its own stream', async () => {
  const { StreamDescriptionSummary: { StreamARN } } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
  const { Consumer: { ConsumerARN } } = await kinesis.send(new RegisterStreamConsumerCommand({ StreamARN,
    ConsumerName: 'reader', Tags: { team: 'clicks' } }));
  for (let status = ''; status !== 'ACTIVE';) {
    ({ ConsumerDescription: { ConsumerStatus: status } } = await kinesis.send(
      new DescribeStreamConsumerCommand({ ConsumerARN })));
  }
  const subscribe = (index, StartingPosition) => kinesis.send(new SubscribeToShardCommand({
    ConsumerARN, ShardId: shardId(index), StartingPosition }));
  // The closed shard, to its end.
  let closed = 0;
  let children = [];
  for await (const { SubscribeToShardEvent: event } of (await subscribe(0, { Type: 'TRIM_HORIZON' })).EventStream) {
    closed += event.Records.length;
    children = event.ChildShards ?? [];
  }
  assert.ok(closed > 5_000 && closed < 11_000, `${closed} records of the closed shard`);
  assert.deepEqual(children.map((child) => child.ShardId), [2, 3].map(shardId));
  // The open ones, while records are put.
  const wanted = new Map([1, 2, 3].map((index) => [shardId(index), []]));
  const streams = await Promise.all([1, 2, 3].map((index) => subscribe(index, { Type: 'LATEST' })));
  await assert.rejects(subscribe(1, { Type: 'LATEST' }), (error) => error instanceof ResourceInUseException);
  const got = Promise.all(streams.map(async ({ EventStream }) => {
    const data = [];
    for await (const { SubscribeToShardEvent: event } of EventStream) {
      data.push(...event.Records.map((record) => text(record.Data)));
      if (data.includes('last')) return data;
    }
    return data;
  }));
  for (let round = 0; round < 10; round += 1) {
    const Records = Array.from({ length: 100 }, (_, i) => ({ PartitionKey: `${i}`, Data: Buffer.from(`${round}-${i}`) }));
    const answer = await kinesis.send(new PutRecordsCommand({ StreamName, Records }));
    answer.Records.forEach((one, i) => wanted.get(one.ShardId).push(`${round}-${i}`));
  }
  const { Shards } = await kinesis.send(new ListShardsCommand({ StreamName, ShardFilter: { Type: 'AT_LATEST' } }));
  for (const { ShardId, HashKeyRange } of Shards) {
    await kinesis.send(new PutRecordCommand({ StreamName, PartitionKey: 'k', Data: Buffer.from('last'),
      ExplicitHashKey: HashKeyRange.StartingHashKey }));
    wanted.get(ShardId).push('last');
  }
  assert.deepEqual(await got, [...wanted.values()]);
});

await check('delete, wait', async () => {
  await kinesis.send(new DeleteStreamCommand({ StreamName, EnforceConsumerDeletion: true }));
  await waitUntilStreamNotExists({ client: kinesis, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { StreamName });
});

// The signer's hash, as it wants it.
function Sha256(secret) {
  const parts = [];
  this.update = (data) => parts.push(Buffer.from(data));
  this.digest = async () => {
    const { createHmac } = await import('node:crypto');
    const hash = secret ? createHmac('sha256', secret) : createHash('sha256');
    parts.forEach((part) => hash.update(part));
    return new Uint8Array(hash.digest());
  };
}

kinesis.destroy();
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed > 0 ? 1 : 0;
