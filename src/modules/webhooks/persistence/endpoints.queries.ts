/** Types generated for queries found in "src/modules/webhooks/persistence/endpoints.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type stringArray = readonly (string | null)[];

/** 'AddWebhookEndpoint' parameters type */
export interface AddWebhookEndpointParams {
  description?: string | null | undefined;
  eventTypes: stringArray;
  id: string;
  most: number;
  secret: string;
  url: string;
}

/** 'AddWebhookEndpoint' return type */
export interface AddWebhookEndpointResult {
  added: boolean;
}

const addWebhookEndpointIR = {"statement":"select webhooks.add_endpoint(\n  :id!::uuid, :url!::text, :eventTypes!::text[], :description::text, :secret!::text, :most!::integer\n) as \"added\"","params":[{"name":"id","locs":[{"a":32,"b":36}]},{"name":"url","locs":[{"a":44,"b":49}]},{"name":"eventTypes","locs":[{"a":57,"b":69}]},{"name":"description","locs":[{"a":79,"b":91}]},{"name":"secret","locs":[{"a":99,"b":107}]},{"name":"most","locs":[{"a":115,"b":121}]}]};

/**
 * Query generated from SQL:
 * ```
 * select webhooks.add_endpoint(
 *   :id!::uuid, :url!::text, :eventTypes!::text[], :description::text, :secret!::text, :most!::integer
 * ) as "added!"                                                    
 * ```
 */
export const addWebhookEndpoint = new PreparedStatement<AddWebhookEndpointParams, AddWebhookEndpointResult>("webhooks.addWebhookEndpoint", addWebhookEndpointIR);

/** 'ListWebhookEndpoints' parameters type */
export type ListWebhookEndpointsParams = void;

/** 'ListWebhookEndpoints' return type */
export interface ListWebhookEndpointsResult {
  createdAt: Date;
  description: string | null;
  disabledAt: Date | null;
  disabledReason: string | null;
  enabled: boolean;
  eventTypes: stringArray;
  failingSince: Date | null;
  id: string;
  updatedAt: Date;
  url: string;
}

const listWebhookEndpointsIR = {"statement":"select e.id as \"id\" , e.url as \"url\" , e.event_types as \"eventTypes\" , e.description, e.enabled as \"enabled\" ,\n       e.disabled_reason as \"disabledReason\", e.disabled_at as \"disabledAt\", e.failing_since as \"failingSince\",\n       e.created_at as \"createdAt\" , e.updated_at as \"updatedAt\" \nfrom webhooks.endpoints e\nwhere e.deleted_at is null\norder by e.id","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select e.id as "id!", e.url as "url!", e.event_types as "eventTypes!", e.description, e.enabled as "enabled!",
 *        e.disabled_reason as "disabledReason", e.disabled_at as "disabledAt", e.failing_since as "failingSince",
 *        e.created_at as "createdAt!", e.updated_at as "updatedAt!"
 * from webhooks.endpoints e
 * where e.deleted_at is null
 * order by e.id
 * ```
 */
export const listWebhookEndpoints = new PreparedStatement<ListWebhookEndpointsParams, ListWebhookEndpointsResult>("webhooks.listWebhookEndpoints", listWebhookEndpointsIR);

/** 'GetWebhookEndpoint' parameters type */
export interface GetWebhookEndpointParams {
  id: string;
}

/** 'GetWebhookEndpoint' return type */
export interface GetWebhookEndpointResult {
  createdAt: Date;
  description: string | null;
  disabledAt: Date | null;
  disabledReason: string | null;
  enabled: boolean;
  eventTypes: stringArray;
  failingSince: Date | null;
  id: string;
  updatedAt: Date;
  url: string;
}

const getWebhookEndpointIR = {"statement":"select e.id as \"id\" , e.url as \"url\" , e.event_types as \"eventTypes\" , e.description, e.enabled as \"enabled\" ,\n       e.disabled_reason as \"disabledReason\", e.disabled_at as \"disabledAt\", e.failing_since as \"failingSince\",\n       e.created_at as \"createdAt\" , e.updated_at as \"updatedAt\" \nfrom webhooks.endpoints e\nwhere e.id = :id! and e.deleted_at is null","params":[{"name":"id","locs":[{"a":328,"b":332}]}]};

/**
 * Query generated from SQL:
 * ```
 * select e.id as "id!", e.url as "url!", e.event_types as "eventTypes!", e.description, e.enabled as "enabled!",
 *        e.disabled_reason as "disabledReason", e.disabled_at as "disabledAt", e.failing_since as "failingSince",
 *        e.created_at as "createdAt!", e.updated_at as "updatedAt!"
 * from webhooks.endpoints e
 * where e.id = :id! and e.deleted_at is null                                                                                                                                          
 * ```
 */
export const getWebhookEndpoint = new PreparedStatement<GetWebhookEndpointParams, GetWebhookEndpointResult>("webhooks.getWebhookEndpoint", getWebhookEndpointIR);

/** 'ChangeWebhookEndpoint' parameters type */
export interface ChangeWebhookEndpointParams {
  changesDescription: boolean;
  description?: string | null | undefined;
  enabled?: boolean | null | undefined;
  eventTypes?: stringArray | null | undefined;
  id: string;
  url?: string | null | undefined;
}

/** 'ChangeWebhookEndpoint' return type */
export interface ChangeWebhookEndpointResult {
  createdAt: Date;
  description: string | null;
  disabledAt: Date | null;
  disabledReason: string | null;
  enabled: boolean;
  eventTypes: stringArray;
  failingSince: Date | null;
  id: string;
  updatedAt: Date;
  url: string;
}

const changeWebhookEndpointIR = {"statement":"update webhooks.endpoints e\nset url             = coalesce(:url::text, e.url),\n    event_types     = coalesce(:eventTypes::text[], e.event_types),\n    description     = case when :changesDescription!::boolean then :description::text else e.description end,\n    enabled         = coalesce(:enabled::boolean, e.enabled),\n    disabled_reason = case\n      when :enabled is true then null\n      when :enabled is false then coalesce(e.disabled_reason, 'request')\n      else e.disabled_reason\n    end,\n    disabled_at     = case\n      when :enabled is true then null\n      when :enabled is false then coalesce(e.disabled_at, clock_timestamp())\n      else e.disabled_at\n    end,\n    failing_since   = case\n      when :url <> e.url or (:enabled is true and not e.enabled) then null\n      else e.failing_since\n    end,\n    updated_at      = clock_timestamp()\nwhere e.id = :id! and e.deleted_at is null\nreturning e.id as \"id\" , e.url as \"url\" , e.event_types as \"eventTypes\" , e.description, e.enabled as \"enabled\" ,\n          e.disabled_reason as \"disabledReason\", e.disabled_at as \"disabledAt\", e.failing_since as \"failingSince\",\n          e.created_at as \"createdAt\" , e.updated_at as \"updatedAt\"","params":[{"name":"url","locs":[{"a":59,"b":63},{"a":709,"b":713}]},{"name":"eventTypes","locs":[{"a":110,"b":121}]},{"name":"changesDescription","locs":[{"a":179,"b":199}]},{"name":"description","locs":[{"a":214,"b":226}]},{"name":"enabled","locs":[{"a":288,"b":296},{"a":357,"b":365},{"a":395,"b":403},{"a":533,"b":541},{"a":571,"b":579},{"a":727,"b":735}]},{"name":"id","locs":[{"a":862,"b":866}]}]};

/**
 * Query generated from SQL:
 * ```
 * update webhooks.endpoints e
 * set url             = coalesce(:url::text, e.url),
 *     event_types     = coalesce(:eventTypes::text[], e.event_types),
 *     description     = case when :changesDescription!::boolean then :description::text else e.description end,
 *     enabled         = coalesce(:enabled::boolean, e.enabled),
 *     disabled_reason = case
 *       when :enabled is true then null
 *       when :enabled is false then coalesce(e.disabled_reason, 'request')
 *       else e.disabled_reason
 *     end,
 *     disabled_at     = case
 *       when :enabled is true then null
 *       when :enabled is false then coalesce(e.disabled_at, clock_timestamp())
 *       else e.disabled_at
 *     end,
 *     failing_since   = case
 *       when :url <> e.url or (:enabled is true and not e.enabled) then null
 *       else e.failing_since
 *     end,
 *     updated_at      = clock_timestamp()
 * where e.id = :id! and e.deleted_at is null
 * returning e.id as "id!", e.url as "url!", e.event_types as "eventTypes!", e.description, e.enabled as "enabled!",
 *           e.disabled_reason as "disabledReason", e.disabled_at as "disabledAt", e.failing_since as "failingSince",
 *           e.created_at as "createdAt!", e.updated_at as "updatedAt!"                                                                                      
 * ```
 */
export const changeWebhookEndpoint = new PreparedStatement<ChangeWebhookEndpointParams, ChangeWebhookEndpointResult>("webhooks.changeWebhookEndpoint", changeWebhookEndpointIR);

/** 'RemoveWebhookEndpoint' parameters type */
export interface RemoveWebhookEndpointParams {
  id: string;
}

/** 'RemoveWebhookEndpoint' return type */
export interface RemoveWebhookEndpointResult {
  id: string;
}

const removeWebhookEndpointIR = {"statement":"with removed as (\n  update webhooks.endpoints e set deleted_at = clock_timestamp()\n  where e.id = :id! and e.deleted_at is null\n  returning e.id\n), forgotten as (\n  delete from webhooks.secrets s using removed r where s.endpoint_id = r.id\n)\nselect r.id as \"id\"  from removed r","params":[{"name":"id","locs":[{"a":98,"b":102}]}]};

/**
 * Query generated from SQL:
 * ```
 * with removed as (
 *   update webhooks.endpoints e set deleted_at = clock_timestamp()
 *   where e.id = :id! and e.deleted_at is null
 *   returning e.id
 * ), forgotten as (
 *   delete from webhooks.secrets s using removed r where s.endpoint_id = r.id
 * )
 * select r.id as "id!" from removed r
 * ```
 */
export const removeWebhookEndpoint = new PreparedStatement<RemoveWebhookEndpointParams, RemoveWebhookEndpointResult>("webhooks.removeWebhookEndpoint", removeWebhookEndpointIR);

/** 'RotateWebhookSecret' parameters type */
export interface RotateWebhookSecretParams {
  id: string;
  now: Date;
  oldUntil: Date;
  secret: string;
}

/** 'RotateWebhookSecret' return type */
export interface RotateWebhookSecretResult {
  rotated: boolean;
}

const rotateWebhookSecretIR = {"statement":"select webhooks.rotate_secret(:id!::uuid, :secret!::text, :now!::timestamptz, :oldUntil!::timestamptz) as \"rotated\"","params":[{"name":"id","locs":[{"a":30,"b":34}]},{"name":"secret","locs":[{"a":42,"b":50}]},{"name":"now","locs":[{"a":58,"b":63}]},{"name":"oldUntil","locs":[{"a":78,"b":88}]}]};

/**
 * Query generated from SQL:
 * ```
 * select webhooks.rotate_secret(:id!::uuid, :secret!::text, :now!::timestamptz, :oldUntil!::timestamptz) as "rotated!"                                                                     
 * ```
 */
export const rotateWebhookSecret = new PreparedStatement<RotateWebhookSecretParams, RotateWebhookSecretResult>("webhooks.rotateWebhookSecret", rotateWebhookSecretIR);

/** 'NoteWebhookRecovery' parameters type */
export interface NoteWebhookRecoveryParams {
  id: string;
}

/** 'NoteWebhookRecovery' return type */
export type NoteWebhookRecoveryResult = void;

const noteWebhookRecoveryIR = {"statement":"update webhooks.endpoints e set failing_since = null where e.id = :id! and e.failing_since is not null","params":[{"name":"id","locs":[{"a":66,"b":70}]}]};

/**
 * Query generated from SQL:
 * ```
 * update webhooks.endpoints e set failing_since = null where e.id = :id! and e.failing_since is not null                                                         
 * ```
 */
export const noteWebhookRecovery = new PreparedStatement<NoteWebhookRecoveryParams, NoteWebhookRecoveryResult>("webhooks.noteWebhookRecovery", noteWebhookRecoveryIR);

/** 'NoteWebhookFailure' parameters type */
export interface NoteWebhookFailureParams {
  id: string;
  now: Date;
}

/** 'NoteWebhookFailure' return type */
export type NoteWebhookFailureResult = void;

const noteWebhookFailureIR = {"statement":"update webhooks.endpoints e set failing_since = :now!::timestamptz where e.id = :id! and e.failing_since is null","params":[{"name":"now","locs":[{"a":48,"b":53}]},{"name":"id","locs":[{"a":80,"b":84}]}]};

/**
 * Query generated from SQL:
 * ```
 * update webhooks.endpoints e set failing_since = :now!::timestamptz where e.id = :id! and e.failing_since is null                                                                                                                                                                                                                                         
 * ```
 */
export const noteWebhookFailure = new PreparedStatement<NoteWebhookFailureParams, NoteWebhookFailureResult>("webhooks.noteWebhookFailure", noteWebhookFailureIR);

/** 'DisableWebhookEndpoint' parameters type */
export interface DisableWebhookEndpointParams {
  failingSince?: Date | null | undefined;
  id: string;
  now: Date;
  reason: string;
  url: string;
}

/** 'DisableWebhookEndpoint' return type */
export interface DisableWebhookEndpointResult {
  id: string;
}

const disableWebhookEndpointIR = {"statement":"update webhooks.endpoints e\nset enabled = false, disabled_reason = :reason!, disabled_at = :now!::timestamptz, updated_at = clock_timestamp()\nwhere e.id = :id! and e.url = :url! and e.enabled and e.deleted_at is null\n  and (:failingSince::timestamptz is null or e.failing_since <= :failingSince)\nreturning e.id as \"id\"","params":[{"name":"reason","locs":[{"a":67,"b":75}]},{"name":"now","locs":[{"a":91,"b":96}]},{"name":"id","locs":[{"a":155,"b":159}]},{"name":"url","locs":[{"a":172,"b":177}]},{"name":"failingSince","locs":[{"a":224,"b":237},{"a":281,"b":294}]}]};

/**
 * Query generated from SQL:
 * ```
 * update webhooks.endpoints e
 * set enabled = false, disabled_reason = :reason!, disabled_at = :now!::timestamptz, updated_at = clock_timestamp()
 * where e.id = :id! and e.url = :url! and e.enabled and e.deleted_at is null
 *   and (:failingSince::timestamptz is null or e.failing_since <= :failingSince)
 * returning e.id as "id!"
 * ```
 */
export const disableWebhookEndpoint = new PreparedStatement<DisableWebhookEndpointParams, DisableWebhookEndpointResult>("webhooks.disableWebhookEndpoint", disableWebhookEndpointIR);
