/** Whether the text is a UUID as we write them, in lower case; anything else cannot be an id of ours. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text);
}

/** Whether the text can be an idempotency key: 1 to 255 visible ASCII characters without spaces. */
export function isIdempotencyKey(text: string): boolean {
  return /^[\x21-\x7e]{1,255}$/.test(text);
}
