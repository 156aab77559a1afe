use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanRef, Status};

use super::attribute;
use super::outcome::{Answer, Outcome};

/// What became of an exchange, as its span says it.
#[derive(Debug)]
pub struct Ended {
    /// Known by the response, on the side of the client.
    pub(crate) version: Option<&'static str>,
    pub(crate) answer: Answer,
    pub(crate) response_size: Option<u64>,
    pub(crate) outcome: Outcome,
}

impl Ended {
    /// Asked one after the other, since a list of attributes would be copied.
    const ATTRIBUTES: [fn(&Self) -> Option<KeyValue>; 6] = [
        |ended| {
            Some(KeyValue::new(
                attribute::NETWORK_PROTOCOL_VERSION,
                ended.version?,
            ))
        },
        |ended| {
            let status = i64::from(ended.answer.status?.as_u16());
            Some(KeyValue::new(attribute::HTTP_RESPONSE_STATUS_CODE, status))
        },
        |ended| {
            let status = ended.answer.grpc_status?.name();
            Some(KeyValue::new(attribute::RPC_RESPONSE_STATUS_CODE, status))
        },
        |ended| {
            let size = i64::try_from(ended.response_size?).unwrap_or(i64::MAX);
            Some(KeyValue::new(attribute::HTTP_RESPONSE_BODY_SIZE, size))
        },
        |ended| {
            Some(KeyValue::new(
                attribute::CANCELLED,
                ended.outcome.cancelled?,
            ))
        },
        |ended| {
            let error_type = ended.outcome.error_type.clone()?;
            Some(KeyValue::new(attribute::ERROR_TYPE, error_type))
        },
    ];

    /// Sets attributes and status of a span.
    pub fn set_on(&self, span: &SpanRef<'_>) {
        span.set_attributes(self.attributes());
        if let Some(status) = self.status() {
            span.set_status(status);
        }
    }

    /// The status of the span, if that is not to stay unset.
    pub fn status(&self) -> Option<Status> {
        self.outcome.error_type.as_ref().map(|_| Status::error(""))
    }

    /// The attributes that the end of the exchange adds.
    pub fn attributes(&self) -> impl Iterator<Item = KeyValue> {
        Self::ATTRIBUTES
            .iter()
            .filter_map(|attribute| attribute(self))
    }
}
