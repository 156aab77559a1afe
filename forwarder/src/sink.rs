//! The boundary between receiving telemetry and processing it.
//!
//! An input decodes a message, maps it to [envelopes](azmon::envelope), and passes them to a [`Sink`] as one
//! [`Delivery`]. The sink accepts or refuses the whole delivery. A client that is told to retry sends the whole
//! message again, so no item is duplicated.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azmon::envelope::Envelope;

/// Accepts the telemetry that inputs receive.
///
/// # Examples
///
/// ```
/// use std::sync::Mutex;
///
/// use azmon_forwarder::sink::{Acceptance, Delivering, Delivery, Sink};
///
/// #[derive(Debug, Default)]
/// struct Kept(Mutex<Vec<Delivery>>);
///
/// impl Sink for Kept {
///     fn deliver(&self, delivery: Delivery) -> Delivering<'_> {
///         Box::pin(async move {
///             if let Ok(mut kept) = self.0.lock() {
///                 kept.push(delivery);
///             }
///             Ok(Acceptance::default())
///         })
///     }
/// }
/// ```
pub trait Sink: fmt::Debug + Send + Sync + 'static {
    /// Accepts or refuses a whole delivery.
    ///
    /// The client is answered after the future has completed. A sink that must not lose accepted items completes
    /// the future after storing them. The input drops the future if it is shut down or its client disconnects.
    fn deliver(&self, delivery: Delivery) -> Delivering<'_>;
}

/// The future of a delivery.
pub type Delivering<'a> = Pin<Box<dyn Future<Output = Result<Acceptance, Refusal>> + Send + 'a>>;

/// The items of one message.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// The protocol of the message.
    pub protocol: Protocol,
    /// The items, grouped by resource.
    pub batches: Vec<Batch>,
}

impl Delivery {
    /// Makes a delivery.
    #[must_use]
    pub fn new(protocol: Protocol, batches: Vec<Batch>) -> Self {
        Self { protocol, batches }
    }

    /// The number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batches.iter().map(|batch| batch.items.len()).sum()
    }

    /// Whether the delivery has no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batches.iter().all(|batch| batch.items.is_empty())
    }
}

/// A protocol that an input speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// Envelopes as JSON, `POST /v2.1/track`, or the gRPC service `contracts.AITelemetryService`.
    ApplicationInsights,
    /// The OpenCensus agent's gRPC services.
    OpenCensus,
    /// OpenTelemetry's protocol, over gRPC or HTTP.
    Otlp,
}

/// Items of one resource.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Batch {
    /// The attributes of the resource, with values as text. For OpenCensus: the attributes of the node and the
    /// labels of the resource. Empty for Application Insights, whose items contain all of their context.
    pub resource: Arc<[(String, String)]>,
    /// The items, in the order of the message.
    pub items: Vec<ReceivedItem>,
}

impl Batch {
    /// Makes a batch.
    #[must_use]
    pub fn new(resource: Arc<[(String, String)]>, items: Vec<ReceivedItem>) -> Self {
        Self { resource, items }
    }
}

/// One item, with the data that an envelope cannot hold.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReceivedItem {
    /// The item, before [`Envelope::apply_limits`]. Its instrumentation key is that of the input, unless the
    /// protocol transmits keys.
    pub envelope: Envelope<'static>,
    /// Measured values of a metric, with the spans in which they were measured.
    pub exemplars: Vec<Exemplar>,
}

impl From<Envelope<'static>> for ReceivedItem {
    fn from(envelope: Envelope<'static>) -> Self {
        Self {
            envelope,
            exemplars: Vec::new(),
        }
    }
}

impl ReceivedItem {
    /// Adds exemplars.
    #[must_use]
    pub fn with_exemplars(mut self, exemplars: Vec<Exemplar>) -> Self {
        self.exemplars = exemplars;
        self
    }
}

/// A measured value and its span.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Exemplar {
    /// When it was measured.
    pub time: SystemTime,
    /// The value, in the unit of its metric.
    pub value: f64,
    /// The trace, as 32 hexadecimal digits; empty outside a span.
    pub trace_id: String,
    /// The span, as 16 hexadecimal digits; empty outside a span.
    pub span_id: String,
    /// Attributes that the metric itself does not have, with values as text.
    pub attributes: Vec<(String, String)>,
}

impl Exemplar {
    /// Makes an exemplar outside a span and without attributes.
    #[must_use]
    pub fn new(time: SystemTime, value: f64) -> Self {
        Self {
            time,
            value,
            trace_id: String::new(),
            span_id: String::new(),
            attributes: Vec::new(),
        }
    }
}

/// The result of an accepted delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acceptance {
    /// The number of items that the sink will never accept, for example because it cannot read them. The client
    /// must not send them again.
    pub rejected: u64,
    /// The reason, for the developer of the client; empty without rejected items.
    pub message: String,
}

impl Acceptance {
    /// Makes the result of a delivery of which `rejected` items were not accepted.
    #[must_use]
    pub fn partial(rejected: u64, message: impl Into<String>) -> Self {
        Self {
            rejected,
            message: message.into(),
        }
    }
}

/// The delivery was refused. The client may send it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The sink has no room. Clients receive `RESOURCE_EXHAUSTED` or 429.
    #[error("the queue is full; retry in {} s", retry_after.as_secs_f64())]
    Busy {
        /// The delay after which the client may retry.
        retry_after: Duration,
    },
    /// The sink is starting, stopping or broken. Clients receive `UNAVAILABLE` or 503.
    #[error("the service is unavailable; retry in {} s", retry_after.as_secs_f64())]
    Unavailable {
        /// The delay after which the client may retry.
        retry_after: Duration,
    },
}

impl Refusal {
    /// The delay after which the client may retry.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        match self {
            Self::Busy { retry_after } | Self::Unavailable { retry_after } => *retry_after,
        }
    }
}
