/** One request, and what every contender must answer to it. */
export type Expectation = {
  readonly what: string;
  readonly path: string;
  /** The Idempotency-Key header, where the contract has the key there. */
  readonly key?: string;
  readonly body: string;
  readonly status: number;
};

/**
 * Asks a server once for everything that both contenders must do alike, so that none is fast by leaving it out.
 * Returns what was wrong, one sentence each. What is answered below 300 must all be the same thing where `same` names
 * the field of its id: a request, and the request again.
 */
export async function probe(port: number, expectations: readonly Expectation[], same?: string): Promise<string[]> {
  const problems: string[] = [];
  const ids = new Set<unknown>();
  for (const { what, path, key, body, status } of expectations) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key === undefined ? {} : { "idempotency-key": key }) },
      body,
    });
    const answer = await response.text();
    if (response.status !== status) problems.push(`${what} was answered ${response.status}, not ${status}: ${answer}`);
    else if (status < 300 && same !== undefined) ids.add(JSON.parse(answer)[same]);
  }
  if (problems.length === 0 && ids.size > 1) problems.push("a repeated request made a second one");
  return problems;
}
