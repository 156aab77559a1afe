//! Serving gRPC, and its statuses.

use std::future::Future;
use std::time::Duration;

use prost::Message;
use tonic::service::Routes;
use tonic::{Code, Status};

use crate::inputs::budget::BudgetLayer;
use crate::inputs::{Budget, Limits, Listener};
use crate::sink::Refusal;

/// How often an idle connection is asked whether it is alive.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Serves `routes` until `shutdown` completes, and then until the calls under way have ended.
///
/// # Errors
///
/// When the server fails as a whole. Errors of a connection or a stream end that one alone.
pub async fn serve_grpc(
    listener: Listener,
    routes: Routes,
    limits: &Limits,
    budget: Budget,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), tonic::transport::Error> {
    tonic::transport::Server::builder()
        .max_concurrent_streams(limits.streams_per_connection)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .layer(BudgetLayer::new(budget))
        .add_routes(routes)
        .serve_with_incoming_shutdown(listener.into_stream(), shutdown)
        .await
}

/// The status of a refusal, which clients that know OTLP repeat after its delay.
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

/// `google.rpc.Status`: the details of a gRPC status, and the body of OTLP's errors over HTTP.
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
