//! OpenCensus: the agent's gRPC services for traces, configuration and metrics.
//!
//! Spans are mapped like in LocalForwarder, through [`azmon::mapping`], with these improvements: every item has a
//! success flag, numbers keep their fraction, targets include ports, links have the form that the Azure portal
//! follows, ids have no prefix and match those of other SDKs, in-process spans and databases have a type, errors
//! of an integration become exceptions, and call stacks are kept.
//!
//! | OpenCensus | Application Insights |
//! |---|---|
//! | kind | attribute `span.kind` (`client`: dependency; another value: request), else the kind; without one a request if the parent is in another process, else a dependency in process |
//! | status | a code other than 0: failure; else by the HTTP status; a message is the property `statusDescription` |
//! | result code | `http.status_code`, else the status code |
//! | name | `METHOD http.route`, `METHOD http.path`, else the span's |
//! | `url`, `data` | `http.url`, else composed of `http.host`, `http.port` and `http.path` |
//! | target | the host with its port of `http.url` or `http.host` |
//! | annotations, message events | messages of the span |
//! | links | `_MS.links`, and properties `link0_type`, `link0_…` for their other content |
//! | attribute `error` | `true`: failure |
//! | `error.name`, `error.message`, `stacktrace` | an exception of the span |
//! | other attributes, entries of the tracestate | properties |
//! | node | role: the service's name; instance: `host.pid`; SDK: `lf_python-oc:0.11.4` |
//!
//! Calls to Application Insights itself are excluded. Cumulative metrics become increments.
//!
//! A stream is answered when its client closes it. A message without a node uses the node of its stream or,
//! without one, the last node of its connection.

mod http;
mod input;
mod metrics;
mod node;
mod services;
mod shared;
mod spans;

pub use self::input::{OpenCensusInput, OpenCensusOptions};
