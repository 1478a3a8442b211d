// Each operation once through @aws-sdk/client-kinesis: node every_operation.mjs ENDPOINT STEPS, where STEPS is
// every_operation.json. A line for each, "covered CLIENT: operations that went well", then "N passed, N failed, N skipped".
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as sdk from '@aws-sdk/client-kinesis';

const [, , endpoint, steps] = process.argv;
const region = process.env.AWS_REGION;
const kinesis = new sdk.KinesisClient({ endpoint, region, maxAttempts: 2, credentials: {
  accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY } });
const name = `every-${randomBytes(4).toString('hex')}`;
const known = { $name: name, $arn: `arn:aws:kinesis:${region}:000000000000:stream/${name}`,
  $now: Math.floor(Date.now() / 1000) };
const covered = [];
let passed = 0;
let failed = 0;
let skipped = 0;

// `value` with what its "$…" stand for, and with the SDK's own types for bytes and times.
function filled(value, key) {
  if (Array.isArray(value)) return value.map((one) => filled(one));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([inner, one]) => [inner, filled(one, inner)]));
  }
  const plain = known[value] ?? value;
  if (key === 'Data') return Buffer.from(plain);
  if (key === 'Timestamp') return new Date(plain * 1000);
  return plain;
}

const at = (answer, path) => path.split('.').reduce((inner, part) => inner[part], answer);

async function call(operation, request) {
  const answer = await kinesis.send(new sdk[`${operation}Command`](request));
  if (operation !== 'SubscribeToShard') return answer;
  for await (const { SubscribeToShardEvent: event } of answer.EventStream) return event; // the first
  throw new Error('no event');
}

const streamStatus = async () => (await call('DescribeStreamSummary', { StreamName: name }))
  .StreamDescriptionSummary.StreamStatus;
const consumerStatus = async () => (await call('DescribeStreamConsumer', { ConsumerARN: known.$consumer }))
  .ConsumerDescription.ConsumerStatus;

async function active(status) {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
    if (await status() === 'ACTIVE') return;
    await new Promise((done) => { setTimeout(done, 50); });
  }
  throw new Error('not ACTIVE within 30 s');
}

for (const step of JSON.parse(readFileSync(steps, 'utf8'))) {
  if (!(`${step.call}Command` in sdk)) {
    skipped += 1;
    console.log(`skip  JavaScript, every operation: ${step.call}: this version does not know it`);
    continue;
  }
  try {
    const answer = await call(step.call, filled(step.with));
    for (const [path, expected] of Object.entries(step.expect ?? {})) {
      assert.equal(at(answer, path), filled(expected), path);
    }
    for (const [variable, path] of Object.entries(step.save ?? {})) known[variable] = at(answer, path);
    if (step.then === 'active') await active(streamStatus);
    if (step.then === 'consumer active') await active(consumerStatus);
    covered.push(step.call);
    passed += 1;
    console.log(`ok    JavaScript, every operation: ${step.call}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  JavaScript, every operation: ${step.call}: ${String(error.stack).slice(0, 800)}`);
  }
}
kinesis.destroy();
console.log(`covered JavaScript SDK: ${covered.join(',')}`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
