import protobuf from "protobufjs/light.js";

/**
 * The part of Pulsar's wire schema (PulsarApi.proto) that MarketFlow speaks. Numbers are the protocol's own; fields
 * that nobody here writes or reads are left out, because whoever decodes skips what they do not know.
 */
export type Commands = {
  connect: {
    clientVersion: string;
    authData?: Uint8Array;
    protocolVersion: number;
    authMethodName?: string;
    proxyToBrokerUrl?: string;
    featureFlags: { supportsAuthRefresh: boolean };
  };
  connected: { serverVersion: string; maxMessageSize?: number };
  subscribe: {
    topic: string;
    subscription: string;
    subType: number;
    consumerId: number;
    requestId: number;
    consumerName: string;
    durable: boolean;
    initialPosition: number;
    consumerEpoch: number;
  };
  producer: {
    topic: string;
    producerId: number;
    requestId: number;
    producerName?: string;
    userProvidedProducerName: boolean;
    initialSubscriptionName?: string;
  };
  send: { producerId: number; sequenceId: bigint; numMessages: number; highestSequenceId: bigint };
  sendReceipt: { producerId: bigint; sequenceId: bigint; messageId?: EntryId };
  sendError: { producerId: bigint; sequenceId: bigint; error: number; message: string };
  message: { consumerId: bigint; messageId: EntryId; consumerEpoch?: bigint };
  ack: { consumerId: number; ackType: number; messageId: EntryId[] };
  flow: { consumerId: number; messagePermits: number };
  success: { requestId: bigint };
  error: { requestId: bigint; error: number; message: string };
  closeProducer: { producerId: bigint | number; requestId: bigint | number };
  closeConsumer: { consumerId: bigint | number; requestId: bigint | number };
  producerSuccess: { requestId: bigint; producerName: string; lastSequenceId?: bigint };
  ping: Record<string, never>;
  pong: Record<string, never>;
  redeliver: { consumerId: number; consumerEpoch: number };
  partitions: { topic: string; requestId: number };
  partitionsResponse: { partitions?: number; requestId: bigint; error?: number; message?: string };
  lookup: { topic: string; requestId: number; authoritative: boolean };
  lookupResponse: {
    brokerServiceUrl?: string;
    brokerServiceUrlTls?: string;
    response?: number;
    requestId: bigint;
    authoritative?: boolean;
    error?: number;
    message?: string;
    proxyThroughServiceUrl?: boolean;
  };
  activeConsumerChange: { consumerId: bigint; isActive?: boolean };
  authChallenge: Record<string, never>;
  authResponse: {
    clientVersion: string;
    response: { authMethodName: string; authData: Uint8Array };
    protocolVersion: number;
  };
};

/** An entry of a topic's log: one message, or one batch of them. */
export type EntryId = { readonly ledgerId: bigint; readonly entryId: bigint; readonly partition: number };

export type KeyValue = { readonly key: string; readonly value: string };

/** What stands before the payload of an entry. */
export type EntryMetadata = {
  producerName: string;
  sequenceId: bigint;
  publishTime: bigint;
  properties?: KeyValue[];
  partitionKey?: string;
  compression?: number;
  uncompressedSize?: number;
  /** Not there where the payload is one message itself; a batch says it also where it has only one. */
  numMessagesInBatch?: number;
  encryptionKeys?: unknown[];
  highestSequenceId?: bigint;
  numChunksFromMsg?: number;
};

/** What stands before each message of a batch. */
export type BatchedMetadata = {
  properties?: KeyValue[];
  partitionKey?: string;
  payloadSize: number;
};

export const subscriptionType = { failover: 2 } as const;
export const initialPosition = { earliest: 1 } as const;
export const acknowledgement = { individual: 0, cumulative: 1 } as const;
export const lookupOutcome = { redirect: 0, connect: 1, failed: 2 } as const;
export const compressionType = { none: 0, zlib: 2, zstd: 3 } as const;

/** The names of the protocol's errors, by their numbers. */
export const serverErrors: readonly string[] =
  `UnknownError MetadataError PersistenceError AuthenticationError AuthorizationError ConsumerBusy ServiceNotReady
  ProducerBlockedQuotaExceededError ProducerBlockedQuotaExceededException ChecksumError UnsupportedVersionError
  TopicNotFound SubscriptionNotFound ConsumerNotFound TooManyRequests TopicTerminatedError ProducerBusy
  InvalidTopicName IncompatibleSchema ConsumerAssignError TransactionCoordinatorNotFound InvalidTxnStatus
  NotAllowedError TransactionConflict TransactionNotFound ProducerFenced`.split(/\s+/);

/** Each command's number, which is both its type and its field in the command that wraps it. */
export const commandNumbers: { readonly [Name in keyof Commands]: number } = {
  connect: 2,
  connected: 3,
  subscribe: 4,
  producer: 5,
  send: 6,
  sendReceipt: 7,
  sendError: 8,
  message: 9,
  ack: 10,
  flow: 11,
  success: 13,
  error: 14,
  closeProducer: 15,
  closeConsumer: 16,
  producerSuccess: 17,
  ping: 18,
  pong: 19,
  redeliver: 20,
  partitions: 21,
  partitionsResponse: 22,
  lookup: 23,
  lookupResponse: 24,
  activeConsumerChange: 31,
  authChallenge: 36,
  authResponse: 37,
};

/** The fields of each message as "rule? type number", where no rule means optional. */
const messages: Record<string, Record<string, string>> = {
  EntryId: { ledgerId: "required uint64 1", entryId: "required uint64 2", partition: "int32 3" },
  KeyValue: { key: "required string 1", value: "required string 2" },
  FeatureFlags: { supportsAuthRefresh: "bool 1" },
  AuthData: { authMethodName: "string 1", authData: "bytes 2" },
  EntryMetadata: {
    producerName: "required string 1",
    sequenceId: "required uint64 2",
    publishTime: "required uint64 3",
    properties: "repeated KeyValue 4",
    partitionKey: "string 6",
    compression: "int32 8",
    uncompressedSize: "uint32 9",
    numMessagesInBatch: "int32 11",
    encryptionKeys: "repeated bytes 13",
    highestSequenceId: "uint64 24",
    numChunksFromMsg: "int32 27",
  },
  BatchedMetadata: {
    properties: "repeated KeyValue 1",
    partitionKey: "string 2",
    payloadSize: "required int32 3",
  },
  connect: {
    clientVersion: "required string 1",
    authData: "bytes 3",
    protocolVersion: "int32 4",
    authMethodName: "string 5",
    proxyToBrokerUrl: "string 6",
    featureFlags: "FeatureFlags 10",
  },
  connected: { serverVersion: "required string 1", maxMessageSize: "int32 3" },
  subscribe: {
    topic: "required string 1",
    subscription: "required string 2",
    subType: "required int32 3",
    consumerId: "required uint64 4",
    requestId: "required uint64 5",
    consumerName: "string 6",
    durable: "bool 8",
    initialPosition: "int32 13",
    consumerEpoch: "uint64 19",
  },
  producer: {
    topic: "required string 1",
    producerId: "required uint64 2",
    requestId: "required uint64 3",
    producerName: "string 4",
    userProvidedProducerName: "bool 9",
    initialSubscriptionName: "string 13",
  },
  send: {
    producerId: "required uint64 1",
    sequenceId: "required uint64 2",
    numMessages: "int32 3",
    highestSequenceId: "uint64 6",
  },
  sendReceipt: { producerId: "required uint64 1", sequenceId: "required uint64 2", messageId: "EntryId 3" },
  sendError: {
    producerId: "required uint64 1",
    sequenceId: "required uint64 2",
    error: "required int32 3",
    message: "required string 4",
  },
  message: { consumerId: "required uint64 1", messageId: "required EntryId 2", consumerEpoch: "uint64 5" },
  ack: { consumerId: "required uint64 1", ackType: "required int32 2", messageId: "repeated EntryId 3" },
  flow: { consumerId: "required uint64 1", messagePermits: "required uint32 2" },
  success: { requestId: "required uint64 1" },
  error: { requestId: "required uint64 1", error: "required int32 2", message: "required string 3" },
  closeProducer: { producerId: "required uint64 1", requestId: "required uint64 2" },
  closeConsumer: { consumerId: "required uint64 1", requestId: "required uint64 2" },
  producerSuccess: {
    requestId: "required uint64 1",
    producerName: "required string 2",
    lastSequenceId: "int64 3",
  },
  ping: {},
  pong: {},
  redeliver: { consumerId: "required uint64 1", consumerEpoch: "uint64 3" },
  partitions: { topic: "required string 1", requestId: "required uint64 2" },
  partitionsResponse: {
    partitions: "uint32 1",
    requestId: "required uint64 2",
    error: "int32 4",
    message: "string 5",
  },
  lookup: { topic: "required string 1", requestId: "required uint64 2", authoritative: "bool 3" },
  lookupResponse: {
    brokerServiceUrl: "string 1",
    brokerServiceUrlTls: "string 2",
    response: "int32 3",
    requestId: "required uint64 4",
    authoritative: "bool 5",
    error: "int32 6",
    message: "string 7",
    proxyThroughServiceUrl: "bool 8",
  },
  activeConsumerChange: { consumerId: "required uint64 1", isActive: "bool 2" },
  authChallenge: {},
  authResponse: { clientVersion: "string 1", response: "AuthData 2", protocolVersion: "int32 3" },
};

const envelope = Object.fromEntries(
  Object.entries(commandNumbers).map(([name, number]) => [name, `${name}Command ${number}`]),
);

/** In proto2 a field that is there is told from one that is not, also where it is 0. */
const edition = "proto2";

const root = protobuf.Root.fromJSON({
  nested: Object.fromEntries(
    Object.entries({ ...messages, Command: { type: "required int32 1", ...envelope } }).map(([name, fields]) => [
      name in commandNumbers ? `${name}Command` : name,
      { edition, fields: Object.fromEntries(Object.entries(fields).map(([of, text]) => [of, parseField(text)])) },
    ]),
  ),
});

function parseField(text: string): protobuf.IField & { rule?: string } {
  const words = text.split(" ");
  const [id, type, rule] = words.toReversed();
  if (id === undefined || type === undefined) throw new Error(`not a field: ${text}`);
  return { id: Number(id), type, ...(rule !== undefined && { rule }) };
}

export const commandType = root.lookupType("Command");
export const entryMetadataType = root.lookupType("EntryMetadata");
export const batchedMetadataType = root.lookupType("BatchedMetadata");
