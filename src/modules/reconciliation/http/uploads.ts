import type { Readable } from "node:stream";

/** An upload whose next bytes, or whose end, did not come in time. */
export class UploadTooSlow extends Error {
  constructor() {
    super("the upload took too long");
    this.name = "UploadTooSlow";
  }
}

/** A sender who sends nothing for this long has gone. */
const silenceMs = 15_000;

/**
 * The bytes of an upload as they come; who reads them slowly slows the sender down. Throws {@link UploadTooSlow} after
 * a silence of 15 s, or where the whole takes longer than `mostMs`. Where the reader stops early the connection stays,
 * so that it can carry an answer.
 */
export async function* readUpload(body: Readable, mostMs: number): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = body.iterator({ destroyOnReturn: false });
  const untilMs = performance.now() + mostMs;
  for (;;) {
    const next = await inTime(chunks.next(), Math.min(silenceMs, untilMs - performance.now()));
    if (next.done === true) return;
    yield next.value;
  }
}

async function inTime<Value>(work: Promise<Value>, mostMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new UploadTooSlow()), Math.max(0, mostMs));
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
