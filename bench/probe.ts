type Expected = { readonly what: string; readonly body: string; readonly status: number };

/**
 * Asks a server once for everything that both contenders must do alike, so that none is fast by leaving it out:
 * a created payment, its replay, a reused key, and amounts and currencies that are refused. Returns what was wrong,
 * one sentence each. It leaves one payment of the given key.
 */
export async function probe(port: number, key: string): Promise<string[]> {
  const request = (amount: string, currency: string) =>
    `{"amount":${amount},"currency":"${currency}","idempotency_key":"${key}"}`;
  const expectations: Expected[] = [
    { what: "a payment", body: request("1000.00", "USD"), status: 201 },
    { what: "the same request again", body: request("1000.0", "USD"), status: 200 },
    { what: "the key with another amount", body: request("1000.01", "USD"), status: 422 },
    { what: "an amount of zero", body: request("0", "USD"), status: 400 },
    { what: "three decimals of a dollar", body: request("1.005", "USD"), status: 400 },
    { what: "a currency that is none", body: request("1", "ABC"), status: 400 },
  ];
  const problems: string[] = [];
  const ids = new Set<unknown>();
  for (const { what, body, status } of expectations) {
    const response = await fetch(`http://127.0.0.1:${port}/payments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const answer = await response.text();
    if (response.status !== status) problems.push(`${what} was answered ${response.status}, not ${status}: ${answer}`);
    if (response.status < 300) ids.add(JSON.parse(answer).id);
  }
  if (problems.length === 0 && ids.size !== 1) problems.push("a repeated request made a second payment");
  return problems;
}
