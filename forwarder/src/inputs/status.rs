//! gRPC statuses with their details.

use std::time::Duration;

use prost::Message;
use tonic::{Code, Status};

use crate::sink::Refusal;

/// The status of a refusal. Clients that implement OTLP retry after its delay.
pub(crate) fn status(refusal: &Refusal) -> Status {
    let code = match refusal {
        Refusal::Busy { .. } => Code::ResourceExhausted,
        Refusal::Unavailable { .. } => Code::Unavailable,
    };
    let details = RpcStatus {
        code: code as i32,
        message: refusal.to_string(),
        details: vec![retry_info(refusal.retry_after())],
    };
    Status::with_details(code, refusal.to_string(), details.encode_to_vec().into())
}

fn retry_info(delay: Duration) -> prost_types::Any {
    let delay = prost_types::Duration {
        seconds: i64::try_from(delay.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(delay.subsec_nanos()).unwrap_or_default(),
    };
    prost_types::Any {
        type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
        value: RetryInfo {
            retry_delay: Some(delay),
        }
        .encode_to_vec(),
    }
}

/// `google.rpc.Status`: the details of a gRPC status, and the body of OTLP errors over HTTP.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<prost_types::Any>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<prost_types::Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_when_to_come_back() {
        let refusal = Refusal::Busy {
            retry_after: Duration::from_millis(1_500),
        };
        let status = status(&refusal);
        assert_eq!(status.code(), Code::ResourceExhausted);
        let details = RpcStatus::decode(status.details()).unwrap();
        let [any] = details.details.as_slice() else {
            panic!("{details:?}")
        };
        let info = RetryInfo::decode(any.value.as_slice()).unwrap();
        let delay = info.retry_delay.unwrap();
        assert_eq!((delay.seconds, delay.nanos), (1, 500_000_000));
    }
}
