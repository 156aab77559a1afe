use http::StatusCode;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanRef, Status};

use super::attribute;
use super::grpc_method::RpcMethod;
use super::message::Side;
use super::outcome::{Ending, Outcome, ResponseStatus, outcome};

/// The end of an exchange, as the span records it.
#[derive(Debug)]
pub struct HttpEnd {
    /// `Some` on a client if the response states the version.
    pub(crate) version: Option<&'static str>,
    pub(crate) response: ResponseStatus,
    pub(crate) response_size: Option<u64>,
    pub(crate) outcome: Outcome,
    /// `Some` if the response proved or disproved the method, on a server.
    pub(crate) rpc_method: Option<RpcMethod>,
}

impl HttpEnd {
    /// Functions that are called one after the other, because a list of attributes would be copied.
    const ATTRIBUTES: [fn(&Self) -> Option<KeyValue>; 8] = [
        |end| {
            let version = end.version?;
            Some(KeyValue::new(attribute::NETWORK_PROTOCOL_VERSION, version))
        },
        |end| {
            let status = i64::from(end.response.http?.as_u16());
            Some(KeyValue::new(attribute::HTTP_RESPONSE_STATUS_CODE, status))
        },
        |end| {
            let status = end.response.grpc?.name();
            Some(KeyValue::new(attribute::RPC_RESPONSE_STATUS_CODE, status))
        },
        |end| {
            Some(KeyValue::new(
                attribute::HTTP_RESPONSE_BODY_SIZE,
                end.size()?,
            ))
        },
        |end| Some(KeyValue::new(attribute::CANCELLED, end.outcome.cancelled?)),
        |end| {
            let error_type = end.outcome.error_type.clone()?;
            Some(KeyValue::new(attribute::ERROR_TYPE, error_type))
        },
        |end| {
            Some(match end.rpc_method.as_ref()? {
                RpcMethod::Known(name) => KeyValue::new(attribute::RPC_METHOD, *name),
                RpcMethod::Unkept(name) => KeyValue::new(attribute::RPC_METHOD, name.to_string()),
                RpcMethod::Other(_) => KeyValue::new(attribute::RPC_METHOD, attribute::OTHER),
            })
        },
        |end| match end.rpc_method.as_ref()? {
            RpcMethod::Other(name) => Some(KeyValue::new(
                attribute::RPC_METHOD_ORIGINAL,
                name.to_string(),
            )),
            RpcMethod::Known(_) | RpcMethod::Unkept(_) => None,
        },
    ];

    /// The end of an exchange over HTTP, without gRPC; a cancellation is no error.
    #[doc(hidden)]
    #[must_use]
    pub fn without_grpc(
        side: Side,
        version: Option<&'static str>,
        status: Option<StatusCode>,
        response_size: Option<u64>,
        ending: Ending<'_>,
    ) -> Self {
        let response = ResponseStatus {
            http: status,
            grpc: None,
        };
        Self {
            version,
            response,
            response_size,
            outcome: outcome(side, response, ending, false),
            rpc_method: None,
        }
    }

    /// The status code of the response, 0 without one; `None` for a call of gRPC, which has a status of its own.
    #[doc(hidden)]
    #[must_use]
    pub fn plain_code(&self) -> Option<u16> {
        let is_grpc = self.response.grpc.is_some() || self.rpc_method.is_some();
        (!is_grpc).then(|| self.response.http.map_or(0, |status| status.as_u16()))
    }

    /// The size of the response's body in bytes, as its attribute has it.
    pub(crate) fn size(&self) -> Option<i64> {
        let size = self.response_size?;
        Some(i64::try_from(size).unwrap_or(i64::MAX))
    }

    /// Sets attributes and status of a span.
    pub fn set_on(&self, span: &SpanRef<'_>) {
        span.set_attributes(self.attributes());
        if let Some(status) = self.status() {
            span.set_status(status);
        }
    }

    /// The status of the span; `None` to leave it unset.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        if self.outcome.error_type.is_some() {
            Some(Status::error(""))
        } else {
            self.outcome.is_success.then_some(Status::Ok)
        }
    }

    /// The attributes that become known at the end.
    pub fn attributes(&self) -> impl Iterator<Item = KeyValue> {
        Self::ATTRIBUTES
            .iter()
            .filter_map(|attribute| attribute(self))
    }
}
