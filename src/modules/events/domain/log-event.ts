/** A row of the log. */
export type LogEvent = {
  readonly position: bigint;
  readonly category: string;
  readonly stream: string;
  /** Rises by one with each change of what the stream is of; a change without an event leaves a gap. */
  readonly version: number;
  readonly type: string;
  /** JSON, as PostgreSQL writes it. */
  readonly data: string;
  readonly traceparent: string | null;
  readonly recordedAt: Date;
};
