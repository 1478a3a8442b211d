// Producers on @aws-sdk/client-kinesis: node sdk_producer.mjs ENDPOINT STREAM LANE,LANE… FOLDER. The lanes share one
// HTTP/2 connection; each has one request under way. Until SIGTERM. The ledger's form: history.py.
import { createHash } from 'node:crypto';
import { appendFileSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';

const [endpoint, StreamName, lanes, folder] = process.argv.slice(2);
const kinesis = new KinesisClient({ endpoint, maxAttempts: 1, region: process.env.AWS_REGION,
  requestHandler: { requestTimeout: 60_000 },
  credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY } });
const kKeysOfALane = 61;
const kRetried = new Set(['InternalFailure', 'InternalFailureException', 'ProvisionedThroughputExceededException']);
let stopping = false;
process.on('SIGTERM', () => { stopping = true; });

function payload(lane, n, request) {
  const head = `${lane}.${n}.${request}`;
  return Buffer.from(`${head}.${createHash('sha256').update(head).digest('hex').repeat(2)}`);
}

function runs(numbers) {
  const result = [];
  for (const number of numbers) {
    const last = result.at(-1);
    if (last && last[0] + last[1] === number) last[1] += 1;
    else result.push([number, 1]);
  }
  return result;
}

async function produce(lane) {
  const ledger = openSync(`${folder}/${lane}.ledger`, 'a');
  const write = (line) => appendFileSync(ledger, `${line}\n`);
  let request = 0;
  let fresh = 0;
  let again = [];
  while (!stopping || again.length > 0) {
    request += 1;
    let current = again.shift();
    if (!current) {
      current = [fresh, 1 + Math.floor(Math.random() * 300)];
      fresh += current[1];
    }
    const [first, count] = current;
    write(`S ${request} ${first} ${count}`);
    try {
      const { Records } = await kinesis.send(new PutRecordsCommand({ StreamName,
        Records: Array.from({ length: count }, (_, i) => ({ PartitionKey: `${lane}-${(first + i) % kKeysOfALane}`,
          Data: payload(lane, first + i, request) })) }));
      for (const record of Records) {
        if (record.ErrorCode && !kRetried.has(record.ErrorCode)) write(`X ${request} ${JSON.stringify(record)}`);
      }
      write(`A ${request} ${Records.map((record) => (record.ErrorCode ? '-'
        : `${Number(record.ShardId.slice(8))}:${BigInt(record.SequenceNumber).toString(16)}`)).join(' ')}`);
      again = [...runs(Records.flatMap((record, i) => (record.ErrorCode ? [first + i] : []))), ...again];
    } catch (error) {
      const status = error.$metadata?.httpStatusCode;
      const why = JSON.stringify(`${error.name}: ${error.message} ${status ?? ''}`.slice(0, 500));
      if (status >= 400 && status < 500) write(`X ${request} ${why}`);
      write(`F ${request} ${why}`);
      again = [current, ...again];
      await sleep(20);
    }
  }
}

await Promise.all(lanes.split(',').map(produce));
kinesis.destroy();
