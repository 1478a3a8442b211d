// A record processor of the KCL for Node.js, started by its daemon for each shard. Adds to the file named by CONSUMER_TOLD:
// START shard, R shard key value, END shard, LOST shard, FAILED what. Standard output belongs to the daemon's protocol.
'use strict';

const fs = require('fs');
const kcl = require('aws-kcl');

let shard;

function tell(...words) {
  fs.appendFileSync(process.env.CONSUMER_TOLD, words.join(' ') + '\n');
}

function checkpoint(input, done) {
  input.checkpointer.checkpoint((error) => {
    if (error) tell('FAILED', error);
    done();
  });
}

kcl({
  initialize(input, done) {
    shard = input.shardId;
    tell('START', shard);
    done();
  },
  processRecords(input, done) {
    for (const record of input.records) {
      tell('R', shard, record.partitionKey, Buffer.from(record.data, 'base64').toString());
    }
    if (input.records.length > 0) checkpoint(input, done);
    else done();
  },
  leaseLost(input, done) {
    tell('LOST', shard);
    done();
  },
  shardEnded(input, done) {
    tell('END', shard);
    checkpoint(input, done);
  },
  shutdownRequested(input, done) {
    checkpoint(input, done);
  },
}).run();
