import assert from "node:assert/strict";
import { test } from "node:test";
import { ResponseReader } from "./response.ts";

const answer = Buffer.from('HTTP/1.1 201 Created\r\nContent-Length: 13\r\nDate: today\r\n\r\n{"id":"öä"}');

test("a response is read wherever the network cuts it", () => {
  for (let cut = 1; cut < answer.length; cut += 1) {
    const reader = new ResponseReader();
    assert.equal(reader.push(answer.subarray(0, cut)), undefined, `cut at ${cut}`);
    const response = reader.push(answer.subarray(cut));
    assert.deepEqual(
      { status: response?.status, body: response?.body.toString() },
      { status: 201, body: '{"id":"öä"}' },
    );
  }
});

test("what was read is kept when the connection's buffer is used again", () => {
  const reader = new ResponseReader();
  const buffer = Buffer.alloc(answer.length);
  answer.copy(buffer, 0, 0, 30);
  assert.equal(reader.push(buffer.subarray(0, 30)), undefined);
  buffer.fill("x");
  answer.copy(buffer, 0, 30);
  assert.equal(reader.push(buffer.subarray(0, answer.length - 30))?.status, 201);
});

test("responses one after the other are told apart, with and without a body", () => {
  const reader = new ResponseReader();
  assert.equal(reader.push(answer)?.status, 201);
  const empty = reader.push(Buffer.from("HTTP/1.1 204 No Content\r\n\r\n"));
  assert.deepEqual({ status: empty?.status, length: empty?.body.length }, { status: 204, length: 0 });
  assert.equal(reader.push(Buffer.from("HTTP/1.1 503 Busy\r\ncontent-length:0\r\n\r\n"))?.status, 503);
});

test("what is not one whole response is refused and never counted", () => {
  const refused = {
    "two answers to one request": Buffer.concat([answer, answer]),
    "no length": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an interim response": "HTTP/1.1 100 Continue\r\n\r\n",
    "another protocol": "SSH-2.0-OpenSSH_9.6\r\n\r\n",
  };
  for (const [what, bytes] of Object.entries(refused)) {
    assert.throws(() => new ResponseReader().push(Buffer.from(bytes)), Error, what);
  }
});
