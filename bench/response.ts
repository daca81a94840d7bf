/** One HTTP/1.1 response. */
export type HttpResponse = { readonly status: number; readonly body: Buffer };

const headEnd = Buffer.from("\r\n\r\n");
const nothing = Buffer.alloc(0);

/**
 * Reads the responses of one connection that has at most one request outstanding. Made for load, not for the open
 * internet: it takes what our servers send (a status line, a Content-Length, no interim responses) and throws on
 * anything else, so that nothing is counted that was not understood.
 */
export class ResponseReader {
  #pending: Buffer = nothing;

  /**
   * Takes the bytes that arrived and returns the response once it is whole, else undefined. The body may be a view
   * of `bytes`: read it before the buffer is used again. Throws where the bytes are not a response with a length, or
   * are more than one response.
   */
  push(bytes: Buffer): HttpResponse | undefined {
    const all = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const end = all.indexOf(headEnd);
    if (end === -1) return this.#waitFor(all, bytes);
    const head = all.toString("latin1", 0, end);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    if (!(status >= 200)) throw new Error(`not a final HTTP/1.1 response: ${head.slice(0, 60)}`);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? (status === 204 ? 0 : Number.NaN));
    if (Number.isNaN(length)) throw new Error(`a response without Content-Length: ${head}`);
    const bodyStart = end + headEnd.length;
    if (all.length < bodyStart + length) return this.#waitFor(all, bytes);
    if (all.length > bodyStart + length) throw new Error("more bytes than the response that was asked for");
    this.#pending = nothing;
    return { status, body: all.subarray(bodyStart) };
  }

  /** Keeps a copy, because the connection's buffer is used again for the next bytes. */
  #waitFor(all: Buffer, bytes: Buffer): undefined {
    this.#pending = all === bytes ? Buffer.from(bytes) : all;
    return undefined;
  }
}
