// poold from Node: open a pool, submit, map, get. Nothing of ours but the contract itself, loaded at run time, and for the
// last tests the values of client/examples/node.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import { decode, encode, ExtData } from '@msgpack/msgpack';

import { decodeValue, encodeArguments, Float, Float32 } from './values.mjs';

const DEADLINE_MS = 60_000;
// 64-bit numbers as strings: a JavaScript number holds them only up to 2^53.
const LOADING = { includeDirs: [process.env.POOLD_PROTO_DIR], longs: String, enums: String, defaults: true, oneofs: true };

let folder;
let daemon;
let log = '';
let client;

function load(file) {
  return grpc.loadPackageDefinition(protoLoader.loadSync(file, LOADING));
}

// One unary call, with a deadline.
function call(method, request) {
  return new Promise((resolve, reject) => {
    client[method](request, { deadline: Date.now() + DEADLINE_MS }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

const msgpack = (...values) => ({ encoding: 'ENCODING_MSGPACK', data: Buffer.from(encode(values, { useBigInt64: true })) });
const value = (payload) => decode(payload.data, { useBigInt64: false });

async function submit(pool, fn, ...args) {
  const { results } = await call('Submit', { pool, tasks: [{ function: fn, args: msgpack(...args) }] });
  assert.equal(results[0].error, null);
  return results[0].id;
}

async function outcome(id) {
  const answer = await call('Get', { id, waitTimeout: { seconds: 30 } });
  assert.equal(answer.done, true);
  return answer.task.outcome;
}

// Every item of a map, as [index, value or outcome].
async function items(id, asCompleted = false) {
  const found = [];
  for await (const { outcomes } of client.GetItems({ id, asCompleted }, { deadline: Date.now() + DEADLINE_MS })) {
    for (const block of outcomes) {
      const others = new Map(block.others.map((item) => [BigInt(item.index), item.outcome]));
      let start = 0;
      block.resultBytes.forEach((size, offset) => {
        const index = BigInt(block.firstIndex) + BigInt(offset);
        found.push([Number(index), others.get(index) ?? decode(block.results.subarray(start, start + size))]);
        start += size;
      });
    }
  }
  return found;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poold-node-'));
  const config = join(folder, 'poold.toml');
  const socket = join(folder, 'poold.sock');
  await writeFile(config, `allowed_environment = ["PYTHONPATH"]\nlisten = ["unix:${socket}"]\nmodule_folders = ["${process.env.POOLD_MODULE_DIR}"]\nprogram_folders = ["${process.env.POOLD_OWN_PROGRAM_DIR}"]\n`);
  daemon = spawn(join(process.env.POOLD_BIN_DIR, 'poold'), ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  daemon.stderr.on('data', (data) => (log += data));
  const { PoolService } = load('poold/v1/pool_service.proto').poold.v1;
  client = new PoolService(`unix:${socket}`, grpc.credentials.createInsecure());
  await new Promise((resolve, reject) => {
    daemon.once('error', reject);
    daemon.once('exit', (code) => reject(new Error(`poold ended with ${code}:\n${log}`)));
    client.waitForReady(Date.now() + DEADLINE_MS, (error) => (error ? reject(error) : resolve()));
  });
  await call('OpenPool', { spec: { name: 'node', workers: 2, modules: ['examples', 'testing'] } });
});

after(async () => {
  if (client) grpc.Client.prototype.close.call(client); // client.close is the Close of the contract
  if (daemon?.pid && daemon.exitCode === null) {
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    assert.equal(await ended, 0, log);
  }
  if (folder) await rm(folder, { recursive: true });
});

test('the server says who it is', async () => {
  const { server } = await call('GetServerInfo', {});
  assert.equal(server.apiVersion, 'poold.v1');
  assert.equal(Number(server.pid), daemon.pid);
});

test('a pool that is opened again with the same spec is the same pool', async () => {
  const { pool, created } = await call('OpenPool', { spec: { name: 'node', workers: 2, modules: ['examples', 'testing'] } });
  assert.equal(created, false);
  assert.equal(pool.state, 'POOL_STATE_RUNNING');
  assert.equal(pool.workers.length, 2);
});

test('submit and get', async () => {
  const id = await submit('node', 'square', 7);
  assert.equal(id.length, 16);
  const { state, result } = await outcome(id);
  assert.equal(state, 'TASK_STATE_SUCCEEDED');
  assert.equal(value(result), 49);
});

test('a number with a fraction of zero is a whole number, as JavaScript has no other', async () => {
  // 3e9 goes as a float64 in some encoders: it is taken where an integer is meant.
  const id = (await call('Submit', {
    pool: 'node',
    tasks: [{ function: 'square', args: { encoding: 'ENCODING_MSGPACK', data: Buffer.from([0x91, 0xcb, 0x40, 0x1c, 0, 0, 0, 0, 0, 0]) } }],
  })).results[0].id;
  assert.equal(value((await outcome(id)).result), 49);
});

test('64-bit numbers keep every digit as BigInt', async () => {
  const id = await submit('node', 'square', 3_000_000_001n);
  assert.equal(decode((await outcome(id)).result.data, { useBigInt64: true }), 9_000_000_006_000_000_001n);
});

test('get answers at once that a task is not done, and waits when asked', async () => {
  const id = await submit('node', 'sleep', 200);
  assert.equal((await call('Get', { id })).done, false);
  assert.equal((await outcome(id)).state, 'TASK_STATE_SUCCEEDED');
});

test('map gives its results in order', async () => {
  const list = Array.from({ length: 2000 }, (_, i) => Buffer.from(encode([i])));
  const { id, acceptedItems } = await call('Map', { pool: 'node', function: 'square', items: { items: list, encoding: 'ENCODING_MSGPACK' } });
  assert.equal(acceptedItems, '2000');
  assert.deepEqual(await items(id), Array.from({ length: 2000 }, (_, i) => [i, i * i]));
});

test('one bad item of a map loses nothing else', async () => {
  const list = [1, 'two', 3].map((one) => Buffer.from(encode([one])));
  const { id } = await call('Map', { pool: 'node', function: 'square', items: { items: list, encoding: 'ENCODING_MSGPACK' }, chunkSize: 3 });
  const found = new Map(await items(id, true));
  assert.equal(found.get(0), 1);
  assert.equal(found.get(2), 9);
  assert.equal(found.get(1).state, 'TASK_STATE_FAILED');
  assert.match(found.get(1).failure.message, /square/);
});

test('a worker that dies is data, not an error of the call', async () => {
  const { state, death } = await outcome(await submit('node', 'exit', 3));
  assert.equal(state, 'TASK_STATE_CRASHED');
  assert.equal(death.exitCode, 3);
});

test('a refused call carries a reason that is stable', async () => {
  await assert.rejects(call('Get', { id: randomBytes(16) }), (error) => {
    assert.equal(error.code, grpc.status.NOT_FOUND);
    const [bytes] = error.metadata.get('grpc-status-details-bin');
    assert.ok(bytes.includes('HANDLE_NOT_FOUND'));
    return true;
  });
});

test('close and join', async () => {
  await call('OpenPool', { spec: { name: 'short', workers: 1, modules: ['examples'] } });
  const id = await submit('short', 'square', 5);
  await call('Close', { pool: 'short' });
  assert.equal((await call('Join', { pool: 'short', waitTimeout: { seconds: 30 } })).done, true);
  assert.equal(value((await outcome(id)).result), 25);
});

// The bytes of the argument, and of what came back.
async function echo(pool, value) {
  const data = Buffer.from(encodeArguments(value));
  const task = { function: 'echo_value', args: { encoding: 'ENCODING_MSGPACK', data } };
  const { results } = await call('Submit', { pool, tasks: [task] });
  assert.equal(results[0].error, null);
  const { state, result } = await outcome(results[0].id);
  assert.equal(state, 'TASK_STATE_SUCCEEDED');
  return { sent: data.subarray(1), got: result.encoding === 'ENCODING_RAW' ? Buffer.from(encode(result.data)) : result.data };
}

const VALUES = [
  null, true, 0, -1, 2 ** 32, 2 ** 53 - 1, (1n << 64n) - 1n, -(1n << 63n), 1.5, 0.1, 1e300, 5e-324, -Infinity,
  new Float(7), new Float(0), -0, 'text \u20ac', new Uint8Array([0, 255]), [1, new Float(2), 'a'], { a: 1, b: new Float(3) },
  new ExtData(5, new Uint8Array([1, 2, 3, 4])),
];

async function expectTheSame(pool, values) {
  for (const one of values) {
    const { sent, got } = await echo(pool, one);
    assert.equal(got.toString('hex'), sent.toString('hex'), String(one));
    const back = decodeValue(got);
    assert.equal(Buffer.from(encodeArguments(back)).subarray(1).toString('hex'), sent.toString('hex'), String(one));
  }
}

test('what goes to a worker in C++ comes back, type and bits', async () => {
  await expectTheSame('node', [...VALUES, new Float32(0.1)]);
  assert.deepEqual(decodeValue((await echo('node', new Float(7))).got), new Float(7));
  assert.equal(decodeValue((await echo('node', 7)).got), 7);
});

test('what goes to a worker in Python comes back, type and bits', async () => {
  await call('OpenPool', {
    spec: {
      name: 'python', workers: 1, program: 'echoing-worker', startMethod: 'START_METHOD_SPAWN',
      environment: { PYTHONPATH: process.env.POOLD_PROGRAM_DIR },
    },
  });
  await expectTheSame('python', VALUES);
});

test('what JavaScript cannot send or hold is refused by name', async () => {
  assert.throws(() => encodeArguments(1n << 64n), /18446744073709551616 does not fit into 64 bits/);
  const { got } = await echo('node', new Map([[1, 'one']]));
  assert.equal(got.toString('hex'), '8101a36f6e65');
  assert.throws(() => decodeValue(got), /a map with the key 1, which is no text/);
});
