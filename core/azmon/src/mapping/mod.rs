//! Pure functions from OpenTelemetry data to [envelopes](crate::envelope).
//!
//! [`Mapper::map_span`] makes a request or a dependency of a span, and an exception or a message of
//! each of its events. The rules are those of Microsoft's exporters; where they disagree, the one that
//! tells the user most. Three hold everywhere:
//!
//! - Of several attributes for one field, the first of the tables below that has a value wins: an
//!   override, then the stable convention, then the old one.
//! - A field takes texts, numbers and booleans. An empty text or an array fills no field.
//! - An attribute is left out of the custom dimensions exactly when a field holds what it says. Every
//!   other one is kept, under its own name.
//!
//! # Requests: `SERVER`, `CONSUMER`
//!
//! | Field | From |
//! |---|---|
//! | `name` | `microsoft.request.name`; `METHOD http.route` (not for consumers); the span's name; `METHOD path` |
//! | `url` | `microsoft.request.url`; `url.full`, `http.url`; [composed](#urls) |
//! | `responseCode` | `microsoft.request.resultCode`; [status](#status-and-success); `0` |
//! | `source` | `microsoft.request.source`; without an HTTP method, [`peer/destination`](#messaging) |
//! | `timeSinceEnqueued` | consumers: the mean of start − `enqueuedTime` over the links that have it, in milliseconds, at least 0 |
//!
//! # Dependencies: `CLIENT`, `PRODUCER`, `INTERNAL`
//!
//! The first row that an attribute of the span speaks of:
//!
//! | Call | Told by | `type` | `target` | `data` |
//! |---|---|---|---|---|
//! | HTTP | `http.request.method`, `http.method` | `Http` | [host](#hosts); `http.host`; host of the URL | `url.full`, `http.url`; [composed](#urls) |
//! | database | `db.system.name`, `db.system` | `SQL` for SQL Server, Oracle, DB2, Derby, H2, HSQLDB, MariaDB, SQLite and `other_sql`; else the system | [host](#hosts)`\|`database, or what is known of it; the system | `db.query.text`, `db.statement`; `db.operation.name`, `db.operation` |
//! | RPC | `rpc.system.name`, `rpc.system` | `GRPC`, `WCF Service`; else the system | [host](#hosts); the system | |
//! | Azure SDK | `azure.resource_provider.namespace`, `az.namespace` | the namespace, and `Microsoft.Storage` for one that begins with `Storage.`; `Queue Message \| ` or `InProc \| ` before it for producers or internal spans | [`peer/destination`](#messaging); none for internal spans | |
//! | messaging | producers; clients with `messaging.system` | `Queue Message \| ` and the system for producers; else the system | [`peer/destination`](#messaging) | |
//! | generative AI | `gen_ai.provider.name`, `gen_ai.system` | `GenAI \| ` and the system | the system; none for internal spans | |
//! | other | clients | `Dependency` | [host](#hosts) | |
//! | in process | internal spans | `InProc` | | |
//!
//! `name` is `METHOD path` for HTTP, if both are known, else the span's name. `resultCode` is the
//! [status](#status-and-success), or `0`. `microsoft.dependency.{name,type,target,data,resultCode}`
//! override each field. `az.namespace`, `gen_ai.system` and their new names also stay custom dimensions:
//! the portal's own views look for them there.
//!
//! # Exceptions and messages: events
//!
//! | Item | Field | From |
//! |---|---|---|
//! | exception (an event of that name) | `typeName`, `message` | `exception.type`, `exception.message`; `Exception` |
//! | | `stack`, `hasFullStack` | `exception.stacktrace`; absent and `false` without it |
//! | message (any other event) | `message` | the event's name |
//!
//! Their tags and their sample rate are those of the span, but their parent is the span.
//!
//! # Exceptions, custom events, availability results and messages: log records
//!
//! [`Mapper::map_log`] makes the first of these that the record has everything for:
//!
//! | Item | Field | From |
//! |---|---|---|
//! | exception | `typeName`, `message` | `exception.type`, `exception.message`, of which one is needed; the record's text; `Exception` |
//! | | `stack`, `hasFullStack` | as for events |
//! | | inner exceptions | `exception.cause.type`, `exception.cause.message`: lists, as [`ErrorChain`](crate::instrument::ErrorChain) writes them |
//! | | `problemId` | without frames: the type, and `code.file.path` with `code.line.number` |
//! | custom event | `name` | `microsoft.custom_event.name`; the record's event name, [if asked for](MappingOptions::event_names_are_custom_events) |
//! | availability result | `id`, `name`, `duration`, `success` | `microsoft.availability.` and these names, all of them; the duration as `hh:mm:ss.fff` |
//! | | `runLocation`, `message`, the time | `microsoft.availability.` and `runLocation`, `message`, `testTimestamp` |
//! | message | `message` | the record's text, or its data as JSON; its event name; `n/a` |
//!
//! `severityLevel` of exceptions and messages is that of the record's severity number. Custom dimensions
//! are, beside the attributes, what no field holds: `message` (the record's text), `event_name`,
//! `logger_name` (the scope, else the target), `target`, and `severity_text` where it says more than the
//! level. Tags are those of spans that are no requests; the parent is the span.
//!
//! Of exceptions of events and of records alike, a backtrace of Rust is also read into frames:
//! `parsedStack`, with method, crate, file and line, from where the program panicked or made the error.
//!
//! # Tags and the rest
//!
//! | Field | From |
//! |---|---|
//! | `ai.operation.id`, `.parentId` | trace id; parent span id. Ids of zeros are left out |
//! | `ai.operation.name` | `microsoft.operation_name`, `ai.operation.name`; a request's name; what the caller of the mapper knows |
//! | `ai.operation.syntheticSource` | `microsoft.synthetic_source`; `True` if `user_agent.synthetic.type` is `bot` or `test`, or the user agent contains `AlwaysOn` |
//! | `ai.location.ip` | `microsoft.client.ip`; for requests `client.address`, `http.client_ip`, `network.peer.address`, `net.sock.peer.addr`, `net.peer.ip` |
//! | `ai.user.userAgent` | `user_agent.original`, `http.user_agent` |
//! | `ai.user.authUserId`, `.id`, `.accountId` | `enduser.id`; `enduser.pseudo.id`; `microsoft.user.account_id` |
//! | `ai.session.id` | `microsoft.session.id`, `session.id` |
//! | `ai.device.{id,model,osVersion,type}` | attributes of these names; else the resource's `device.id`, `device.model.name`; `oemName` from `device.manufacturer` |
//! | `ai.cloud.role` | `service.namespace`, a point and `service.name`; for `unknown_service` the Kubernetes deployment, replica set, stateful set, job, cron job or daemon set |
//! | `ai.cloud.roleInstance` | `k8s.pod.name`, `service.instance.id`; the host's name |
//! | `ai.application.ver` | `service.version` |
//! | `sampleRate` | `microsoft.sample_rate`, `_MS.sampleRate`, above 0 and at most 100 |
//! | `measurements` | `microsoft.custom_measurements`: the numbers of a JSON object |
//! | property `_MS.links` | the first 100 links, as compact JSON |
//! | property `otel.status_description` | why the span failed |
//!
//! Role, instance and version can be set by [`MappingOptions`].
//!
//! # Status and success
//!
//! The status is the first of `http.response.status_code`, `http.status_code`,
//! `rpc.response.status_code`, `rpc.grpc.status_code`. A span whose own status is `Ok` or `Error`
//! succeeded or failed. Of one whose status is unset, an HTTP status from 400 on is a failure; see
//! [`MappingOptions::client_errors_are_failures`]. A client's span without an HTTP status fails if it has an
//! `error.type`.
//!
//! # Hosts
//!
//! `peer.service`, else the first of `server.address`, `net.peer.name`, `net.peer.ip`,
//! `network.peer.address`, `net.sock.peer.addr`, `peer.address`, with its port: `server.port`,
//! `net.peer.port`, `network.peer.port`, `net.sock.peer.port`. The port that the scheme or the database
//! system has by default is left out.
//!
//! # URLs
//!
//! A URL is composed of `url.scheme` or `http.scheme`, a host, and `url.path` with `url.query` or
//! `http.target`. The host is `server.address`; `http.host`; for requests `http.server_name` or
//! `net.host.name`, for dependencies the other side's, each with its port unless the scheme implies it.
//!
//! # Messaging
//!
//! The peer is the [host](#hosts) without its port, the destination `messaging.destination.name`,
//! `messaging.destination` or `message_bus.destination`. Without a peer it is the destination alone; a
//! dependency without a destination has the host with its port, or the system.

mod arena;
mod attributes;
mod backtrace;
mod context;
mod database;
mod dependency;
mod events;
mod exception;
mod http;
mod json_line;
mod keys;
mod links;
mod log;
mod mapper;
mod measurements;
mod messaging;
mod metric;
mod network;
mod options;
mod plain_request;
mod properties;
mod request;
mod resource;
mod rpc;
mod standard;
mod success;
#[cfg(test)]
mod tests;
mod text;

pub use self::arena::Arena;
pub(crate) use self::json_line::Clock;
pub use self::mapper::Mapper;
pub use self::metric::{Point, Summary};
pub use self::options::MappingOptions;
pub(crate) use self::plain_request::PlainRequest;
pub(crate) use self::standard::{DependencyDimensions, StandardDimensions};
pub(crate) use self::success::is_span_success;
pub use crate::item::LogData;
