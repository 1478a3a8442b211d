// What the installed @aws-sdk/client-kinesis can ask, read from its own schemas, against a server: node operations.mjs
// ENDPOINT. Each operation must be known, and each member of its request: a value of a wrong type must be refused as
// such. So a new version of the SDK shows what is missing. A line for each operation, then "N passed, N failed, N skipped".
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import * as sdk from '@aws-sdk/client-kinesis';
import { SignatureV4 } from '@smithy/signature-v4';

// Operations on these answer that they come later.
const LATER = /Channel|Queue/;

const endpoint = process.argv[2];
const { hostname, port, host } = new URL(endpoint);
const signer = new SignatureV4({
  service: 'kinesis', region: process.env.AWS_REGION, sha256: Sha256,
  credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY },
});
let passed = 0;
let failed = 0;

function Sha256(secret) {
  const parts = [];
  this.update = (data) => parts.push(Buffer.from(data));
  this.digest = async () => {
    const hash = secret ? createHmac('sha256', secret) : createHash('sha256');
    parts.forEach((part) => hash.update(part));
    return new Uint8Array(hash.digest());
  };
}

// The answer to a raw request: {status, type}.
async function post(operation, request) {
  const body = JSON.stringify(request);
  const { headers } = await signer.sign({ method: 'POST', protocol: 'http:', hostname, port: Number(port), path: '/',
    query: {}, body, headers: { host, 'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Kinesis_20131202.${operation}` } });
  const answer = await fetch(endpoint, { method: 'POST', headers, body });
  const text = await answer.text();
  return { status: answer.status, type: text && JSON.parse(text).__type, text };
}

// A schema is a number (0 text, 1 number, 2 boolean, 4 time, 21 bytes; 64 with it: a list, 128: a map), a list
// [kind, namespace, name, traits, …] with kind 1 list, 2 map, 3 structure, a pair [schema, traits], or a function that
// gives one.
function resolved(schema) {
  let plain = schema;
  while (typeof plain === 'function' || (Array.isArray(plain) && typeof plain[0] !== 'number')) {
    plain = typeof plain === 'function' ? plain() : plain[0];
  }
  return plain;
}

// A value that no member of this schema takes.
function wrong(schema) {
  if (typeof schema === 'number') {
    if (schema >= 128) return [];
    if (schema >= 64) return {};
    return { 0: 5, 1: 'x', 2: 5, 4: 'x', 21: 5 }[schema] ?? assert.fail(`a new kind of schema: ${schema}`);
  }
  return { 1: {}, 2: [], 3: [] }[schema[0]] ?? assert.fail(`a new kind of schema: ${schema[0]}`);
}

// Calls visit(path, request) for each member of a structure, and of structures within; `nest` builds the request.
function* requests(structure, path, nest) {
  const [, , , , names, schemas] = structure;
  for (const [i, name] of names.entries()) {
    const schema = resolved(schemas[i]);
    yield [`${path}${name}`, nest({ [name]: wrong(schema) })];
    if (schema[0] === 3) yield* requests(schema, `${path}${name}.`, (inner) => nest({ [name]: inner }));
    if (schema[0] !== 1) continue;
    const item = resolved(schema[4]);
    if (item[0] === 3) yield* requests(item, `${path}${name}[].`, (inner) => nest({ [name]: [inner] }));
  }
}

const operations = Object.keys(sdk).filter((name) => /^[A-Z]\w+Command$/.test(name))
  .map((name) => name.slice(0, -'Command'.length)).sort();
assert.ok(operations.length >= 45, `${operations.length} operations in the package`);

for (const operation of operations) {
  try {
    if (LATER.test(operation)) {
      const answer = await post(operation, {});
      assert.equal(answer.type, 'InvalidArgumentException', `comes later, and must say so: ${answer.text}`);
      assert.match(answer.text, /later/);
      passed += 1;
      console.log(`ok    JavaScript, operations: ${operation} comes later, and says so`);
      continue;
    }
    const input = resolved(sdk[`${operation}$`][4]);
    assert.notEqual((await post(operation, [])).type, 'UnknownOperationException', 'not known');
    let members = 0;
    for (const [path, request] of requests(input, '', (whole) => whole)) {
      const answer = await post(operation, request);
      assert.equal(answer.type, 'SerializationException', `${path} is not known: ${answer.text}`);
      members += 1;
    }
    passed += 1;
    console.log(`ok    JavaScript, operations: ${operation} is known, with ${members} members`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  JavaScript, operations: ${operation}: ${String(error.message).slice(0, 600)}`);
  }
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed > 0 ? 1 : 0;
