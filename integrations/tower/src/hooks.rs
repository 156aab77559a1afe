use std::borrow::Cow;
use std::net::SocketAddr;

use opentelemetry::KeyValue;

use crate::{RequestHead, ResponseHead};

pub(crate) type OnRequest = dyn Fn(&RequestHead<'_>, &mut Vec<KeyValue>) + Send + Sync;
pub(crate) type OnResponse = dyn Fn(&ResponseHead<'_>, &mut Vec<KeyValue>) + Send + Sync;
pub(crate) type PeerAddress = dyn Fn(&RequestHead<'_>) -> Option<SocketAddr> + Send + Sync;
pub(crate) type Route = dyn for<'a> Fn(&RequestHead<'a>) -> Option<Cow<'a, str>> + Send + Sync;
pub(crate) type SpanName =
    dyn Fn(&RequestHead<'_>, Option<&str>) -> Option<Cow<'static, str>> + Send + Sync;
