export const deliveryStatuses = ["pending", "delivered", "failed"] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

/** One try to send, and what came of it. */
export type Attempt = {
  readonly at: Date;
  /** Null where there was no answer. */
  readonly statusCode: number | null;
  readonly durationMs: number;
  /** Null where it arrived. */
  readonly error: string | null;
  /** The answer's beginning. */
  readonly answer: string | null;
};

/** One event on its way to one endpoint. */
export type Delivery = {
  readonly id: string;
  readonly endpointId: string;
  /** The webhook-id. */
  readonly eventId: string;
  readonly eventType: string;
  readonly status: DeliveryStatus;
  /** How often it was tried in all; of the newest tries there are the attempts. */
  readonly attemptCount: number;
  /** Newest first. */
  readonly attempts: readonly Attempt[];
  /** Null where it is not pending. */
  readonly nextAttemptAt: Date | null;
  readonly createdAt: Date;
  /** When it arrived or was given up. */
  readonly endedAt: Date | null;
};

/** The lowest id that a delivery could have got at a time: ids are uuids of version 7, which begin with it. */
export function firstIdAt(atMs: number): string {
  const digits = Math.max(0, Math.trunc(atMs)).toString(16).padStart(12, "0").slice(-12);
  return `${digits.slice(0, 8)}-${digits.slice(8)}-0000-0000-000000000000`;
}

/** When an id was made, to the millisecond. */
export function timeOfId(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}
