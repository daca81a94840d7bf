/** A row of the log. */
export type LogEvent = {
  readonly position: bigint;
  readonly category: string;
  readonly stream: string;
  /** Counts the events of the stream, from 1. */
  readonly version: number;
  readonly type: string;
  /** JSON, as PostgreSQL writes it. */
  readonly data: string;
  readonly traceparent: string | null;
  readonly recordedAt: Date;
};
