//! Where inputs put what they have received: the boundary between receiving and everything after it.
//!
//! An input decodes a message, maps it to [envelopes](azmon::envelope), and gives them to a [`Sink`] in one
//! piece, a [`Delivery`]. The sink takes all of it or none of it: a client that is told to come back sends
//! the whole message again, and nothing is there twice.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azmon::envelope::Envelope;

/// Takes what inputs have received.
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
    /// Takes a delivery whole, or refuses it whole.
    ///
    /// The client is answered after the future has completed: a sink that must not lose what it has
    /// accepted completes when it has kept it. An input that is shut down, or whose client goes away, drops
    /// the future.
    fn deliver(&self, delivery: Delivery) -> Delivering<'_>;
}

/// A [`Sink`] at work.
pub type Delivering<'a> = Pin<Box<dyn Future<Output = Result<Acceptance, Refusal>> + Send + 'a>>;

/// What one message brought.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// The protocol that it came by.
    pub protocol: Protocol,
    /// The items, by the resource that made them.
    pub batches: Vec<Batch>,
}

impl Delivery {
    /// Makes a delivery.
    #[must_use]
    pub fn new(protocol: Protocol, batches: Vec<Batch>) -> Self {
        Self { protocol, batches }
    }

    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batches.iter().map(|batch| batch.items.len()).sum()
    }

    /// Whether there is no item.
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
    /// OpenTelemetry's protocol, by gRPC or HTTP.
    Otlp,
}

/// Items of one resource.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Batch {
    /// The resource's attributes, values as text; for OpenCensus the node's attributes and the resource's
    /// labels. Empty for Application Insights, whose items say all by themselves.
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

/// One item, and what an envelope has no place for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReceivedItem {
    /// The item, before [`Envelope::apply_limits`]. Its instrumentation key is the one that the input was
    /// given, unless the protocol has keys.
    pub envelope: Envelope<'static>,
    /// Measured values of a metric with the spans that they were measured in.
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

/// A measured value, and where it was measured.
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
    /// Attributes that the metric itself does not have, values as text.
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

/// A delivery was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acceptance {
    /// Items that the sink will not keep whatever happens, such as those it cannot read. A client that is
    /// told of them must not send them again.
    pub rejected: u64,
    /// Why, for the client's developer; empty without rejected items.
    pub message: String,
}

impl Acceptance {
    /// Says that all was taken but `rejected` items.
    #[must_use]
    pub fn partial(rejected: u64, message: impl Into<String>) -> Self {
        Self {
            rejected,
            message: message.into(),
        }
    }
}

/// A delivery was not taken: the client may send it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no room. Clients see `RESOURCE_EXHAUSTED` or 429.
    #[error("too much telemetry waits; come back in {} s", retry_after.as_secs_f64())]
    Busy {
        /// When the client should come back.
        retry_after: Duration,
    },
    /// The sink is starting, stopping or broken. Clients see `UNAVAILABLE` or 503.
    #[error("out of service; come back in {} s", retry_after.as_secs_f64())]
    Unavailable {
        /// When the client should come back.
        retry_after: Duration,
    },
}

impl Refusal {
    /// When the client should come back.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        match self {
            Self::Busy { retry_after } | Self::Unavailable { retry_after } => *retry_after,
        }
    }
}
