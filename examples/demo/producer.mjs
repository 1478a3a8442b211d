// examples/demo/producer.mjs: sends the events on stdin (due_us<TAB>key<TAB>{…}) with the AWS SDK for JavaScript.
// producer.mjs ENDPOINT STREAM LANES: first waits for a line {"begin_us":…}, the instant that due times count from.
// Prints a JSON line each second, and a last one that says of each lane what was sent and not acknowledged.
import { createInterface } from "node:readline";
import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";

const [endpoint, stream, lanesText] = process.argv.slice(2);
const BATCH = 500;
const LINGER_US = 5_000;

const client = new KinesisClient({
  endpoint,
  region: process.env.AWS_REGION ?? "us-east-1",
  // A request is sent once: what became of one that failed is told, not papered over.
  maxAttempts: 1,
});

const wallMinusSteadyUs = Date.now() * 1000 - performance.now() * 1000;
const nowUs = () => Math.floor(performance.now() * 1000 + wallMinusSteadyUs);

// Events of one user go through one lane, which has one request under way: so their order is the order sent.
const lanes = Array.from({ length: Number(lanesText) }, (_, index) => ({
  index, pending: [], next: 0, busy: false, unacknowledged: [],
}));
const totals = { records: 0, bytes: 0, errors: {} };
let beginUs = 0;
let ended = false;

function laneOf(key) {
  let hash = 2166136261;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 16777619);
  return lanes[(hash >>> 0) % lanes.length];
}

// The 48 bytes that every payload begins with; bench/load/stamp.h has the layout.
function stamped(lane, sequence, dueUs, json) {
  return `{"n":${String(sequence).padStart(13)},"p":${String(lane).padStart(3)},"t":${String(dueUs).padStart(16)},${json.slice(1)}`;
}

function countError(name, times = 1) {
  totals.errors[name] = (totals.errors[name] ?? 0) + times;
}

async function sendAll(lane) {
  lane.busy = true;
  while (lane.pending.length > 0) {
    const due = lane.pending[0].dueUs + LINGER_US;
    if (lane.pending.length < BATCH && !ended && nowUs() < due) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, (due - nowUs()) / 1000)));
    }
    await send(lane, lane.pending.splice(0, BATCH));
  }
  lane.busy = false;
}

async function send(lane, events) {
  const Records = events.map(({ sequence, dueUs, key, json }) => ({
    PartitionKey: key,
    Data: Buffer.from(stamped(lane.index, sequence, dueUs, json)),
  }));
  try {
    const answer = await client.send(new PutRecordsCommand({ StreamName: stream, Records }));
    const refused = [];
    answer.Records.forEach((record, i) => {
      if (record.ErrorCode) {
        refused.push(events[i]);
        countError(record.ErrorCode);
      } else {
        totals.records += 1;
        totals.bytes += Records[i].Data.length;
      }
    });
    lane.pending.unshift(...refused);
  } catch (error) {
    // Whether they were written is unknown.
    countError(error.name);
    for (const event of events) lane.unacknowledged.push(event.sequence);
  }
}

function take(line) {
  const firstTab = line.indexOf("\t");
  const secondTab = line.indexOf("\t", firstTab + 1);
  const key = line.slice(firstTab + 1, secondTab);
  const lane = laneOf(key);
  const dueUs = beginUs + Number(line.slice(0, firstTab));
  lane.pending.push({ sequence: lane.next++, dueUs, key, json: line.slice(secondTab + 1) });
  return lane;
}

async function run() {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  beginUs = JSON.parse((await lines.next()).value).begin_us;
  let second = 0;
  let printed = { records: 0, bytes: 0 };
  const printSecond = () => {
    second += 1;
    console.log(JSON.stringify({ second, in: totals.records - printed.records, in_bytes: totals.bytes - printed.bytes }));
    printed = { records: totals.records, bytes: totals.bytes };
    timer = setTimeout(printSecond, (beginUs + (second + 1) * 1e6 - nowUs()) / 1000);
  };
  let timer = setTimeout(printSecond, (beginUs + 1e6 - nowUs()) / 1000);

  for (;;) {
    const { value: line, done } = await lines.next();
    if (done) break;
    const waitUs = beginUs + Number(line.slice(0, line.indexOf("\t"))) - nowUs();
    if (waitUs > 1_000) await new Promise((resolve) => setTimeout(resolve, waitUs / 1000));
    const lane = take(line);
    if (!lane.busy) sendAll(lane);
  }
  ended = true;
  while (lanes.some((lane) => lane.busy)) await new Promise((resolve) => setTimeout(resolve, 5));
  clearTimeout(timer);
  console.log(JSON.stringify({
    sent: lanes.map((lane) => lane.next),
    unacknowledged: lanes.map((lane) => lane.unacknowledged),
    acknowledged: totals.records,
    errors: totals.errors,
  }));
  client.destroy();
}

await run();
