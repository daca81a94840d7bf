/** Why an address cannot be an endpoint's. */
export type AddressFault =
  | { readonly type: "url_malformed" }
  | { readonly type: "url_not_https" }
  | { readonly type: "url_has_credentials" }
  | { readonly type: "url_port_not_allowed" }
  | { readonly type: "url_not_public" };

export type WebhookRequest = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** How one try to send ended. Times are in milliseconds. */
export type SendOutcome =
  | {
      readonly type: "answered";
      readonly status: number;
      /** The answer's beginning, as text. */
      readonly answer: string;
      /** What Retry-After asks for, from now. */
      readonly retryAfterMs: number | null;
    }
  /** There was no answer: no connection, an address that is not public, a deadline. `error` says so in words. */
  | { readonly type: "not_answered"; readonly error: string }
  /** It was broken off because this process ends. */
  | { readonly type: "aborted" };

/** Posts what integrators are sent; the only part of webhooks that reaches out of this machine. */
export interface WebhookClient {
  /** What speaks against an address, as far as it can be seen without asking DNS; null where nothing does. */
  faultOf(url: string): AddressFault | null;
  /**
   * Posts one body once and resolves within its deadline, whatever happens. Connects to public addresses only, follows
   * no redirect, and never throws.
   */
  send(request: WebhookRequest, signal: AbortSignal): Promise<SendOutcome>;
  close(): void;
}
