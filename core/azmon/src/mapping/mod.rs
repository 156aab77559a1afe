//! Pure functions from OpenTelemetry data to [envelopes](crate::envelope).
//!
//! [`Mapper::map_span`] maps a span to a request or a dependency, and each of its events to an exception or a message.
//! The rules are those of Microsoft's exporters. Where those differ, azmon follows the rule that gives the user the
//! most information. Three rules hold everywhere:
//!
//! - If several attributes can fill a field, the first one in the tables below that has a value wins: an override, then
//!   the stable convention, then the old one.
//! - A field accepts strings, numbers and booleans. An empty string or an array fills no field.
//! - An attribute is left out of the custom dimensions if and only if a field holds its value. Every other attribute is
//!   kept under its own name.
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
//! The first row with a matching attribute applies:
//!
//! | Call | Matching attribute or kind | `type` | `target` | `data` |
//! |---|---|---|---|---|
//! | HTTP | `http.request.method`, `http.method` | `Http` | [host](#hosts); `http.host`; host of the URL | `url.full`, `http.url`; [composed](#urls) |
//! | database | `db.system.name`, `db.system` | `SQL` for SQL Server, Oracle, DB2, Derby, H2, HSQLDB, MariaDB, SQLite and `other_sql`; else the system | [host](#hosts)`\|`database, or the known part of it; the system | `db.query.text`, `db.statement`; `db.operation.name`, `db.operation` |
//! | RPC | `rpc.system.name`, `rpc.system` | `GRPC`, `WCF Service`; else the system | [host](#hosts); the system | |
//! | Azure SDK | `azure.resource_provider.namespace`, `az.namespace` | the namespace, and `Microsoft.Storage` for one that begins with `Storage.`; `Queue Message \| ` or `InProc \| ` before it for producers or internal spans | [`peer/destination`](#messaging); none for internal spans | |
//! | messaging | producers; clients with `messaging.system` | `Queue Message \| ` and the system for producers; else the system | [`peer/destination`](#messaging) | |
//! | generative AI | `gen_ai.provider.name`, `gen_ai.system` | `GenAI \| ` and the system | the system; none for internal spans | |
//! | other | clients | `Dependency` | [host](#hosts) | |
//! | in process | internal spans | `InProc` | | |
//!
//! For HTTP, `name` is the span's name if that is `METHOD template`, else `METHOD path` if both are known. In all other
//! cases it is the span's name. `resultCode` is the [status](#status-and-success), or `0`.
//! `microsoft.dependency.{name,type,target,data,resultCode}` override each field. `az.namespace`, `gen_ai.system` and
//! their new names also stay custom dimensions, because the portal's own views read them there.
//!
//! # Exceptions and messages: events
//!
//! | Item | Field | From |
//! |---|---|---|
//! | exception (an event of that name) | `typeName`, `message` | `exception.type`, `exception.message`; `Exception` |
//! | | `stack`, `hasFullStack` | `exception.stacktrace`; absent and `false` without it |
//! | message (any other event) | `message` | the event's name |
//!
//! Their tags and their sample rate are those of the span. Their parent is the span.
//!
//! # Exceptions, custom events, availability results and messages: log records
//!
//! [`Mapper::map_log`] makes the first of these items for which the record has all required content:
//!
//! | Item | Field | From |
//! |---|---|---|
//! | exception | `typeName`, `message` | `exception.type`, `exception.message`, at least one of them; the record's text; `Exception` |
//! | | `stack`, `hasFullStack` | as for events |
//! | | inner exceptions | `exception.cause.type`, `exception.cause.message`: lists, as [`ErrorChain`](crate::instrument::ErrorChain) writes them |
//! | | `problemId` | without frames: the type, and `code.file.path` with `code.line.number` |
//! | custom event | `name` | `microsoft.custom_event.name`; the record's event name, [if enabled](MappingOptions::event_names_are_custom_events) |
//! | availability result | `id`, `name`, `duration`, `success` | `microsoft.availability.` and these names, all of them; the duration as `hh:mm:ss.fff` |
//! | | `runLocation`, `message`, the time | `microsoft.availability.` and `runLocation`, `message`, `testTimestamp` |
//! | message | `message` | the record's text, or its data as JSON; its event name; `n/a` |
//!
//! `severityLevel` of exceptions and messages is the level of the record's severity number. The custom dimensions are
//! the attributes and all content without a field: `message` (the record's text), `event_name`, `logger_name` (the
//! scope, else the target), `target`, and `severity_text` if it is more specific than the level. The tags are those of
//! spans that are not requests; the parent is the span.
//!
//! The backtrace of an exception, in an event or in a record, is also parsed into frames if it is a Rust backtrace:
//! `parsedStack`, with method, crate, file and line. The frames begin where the program panicked or made the error.
//!
//! # Tags and other fields
//!
//! | Field | From |
//! |---|---|
//! | `ai.operation.id`, `.parentId` | trace id; parent span id. Ids of zeros are left out |
//! | `ai.operation.name` | `microsoft.operation_name`, `ai.operation.name`; a request's name; the name that the caller of the mapper passes |
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
//! | property `otel.status_description` | the description of the span's error status |
//!
//! Role, instance and version can be set by [`MappingOptions`].
//!
//! # Status and success
//!
//! The status is the first of `http.response.status_code`, `http.status_code`, `rpc.response.status_code`,
//! `rpc.grpc.status_code`. A span status of `Ok` or `Error` decides the success. If the span status is unset, an HTTP
//! status of 400 or more is a failure; see [`MappingOptions::client_errors_are_failures`]. A client's span without an
//! HTTP status fails if it has an `error.type`.
//!
//! # Hosts
//!
//! `peer.service`, else the first of `server.address`, `net.peer.name`, `net.peer.ip`, `network.peer.address`,
//! `net.sock.peer.addr`, `peer.address`, with its port: `server.port`, `net.peer.port`, `network.peer.port`,
//! `net.sock.peer.port`. The default port of the scheme or of the database system is left out.
//!
//! # URLs
//!
//! A URL is composed of `url.scheme` or `http.scheme`, a host, and `url.path` with `url.query` or `http.target`. The
//! host is the first of `server.address`, `http.host`, and for requests `http.server_name` or `net.host.name`, for
//! dependencies the [host](#hosts) of the other side. Each has its port unless it is the default port of the scheme.
//!
//! # Messaging
//!
//! The peer is the [host](#hosts) without its port. The destination is `messaging.destination.name`,
//! `messaging.destination` or `message_bus.destination`. Without a peer, the value is the destination alone. The target
//! of a dependency without a destination is the host with its port, or the system.

mod arena;
mod attributes;
mod backtrace;
mod context;
mod database;
mod dependency;
mod events;
mod exception;
mod http;
mod keys;
mod links;
mod log;
mod mapper;
mod measurements;
mod messaging;
mod metric;
mod network;
mod options;
mod plain;
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
pub(crate) use self::context::{AVAILABILITY_TEST, is_availability_test};
pub(crate) use self::keys::reads;
pub use self::mapper::Mapper;
pub use self::metric::{Point, Summary};
pub use self::options::MappingOptions;
pub(crate) use self::plain::{PlainCall, PlainRequest};
pub(crate) use self::standard::{DependencyDimensions, RequestDimensions, StandardDimensions};
pub(crate) use self::success::is_span_success;
pub use crate::item::LogData;
