use arrayvec::ArrayVec;
use http::StatusCode;
use opentelemetry::{KeyValue, StringValue};

use super::attribute;

/// The attributes that metrics have: each of a small set of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// The method, or `_OTHER`.
    pub method: &'static str,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The host and port that a client calls. A server has none: its callers could make it up.
    pub server: Option<(StringValue, u16)>,
    /// The route of a server, with the name [`attribute::HTTP_ROUTE`], or the template of a client, with
    /// the name [`attribute::URL_TEMPLATE`].
    pub route: Option<(&'static str, StringValue)>,
}

/// As many as there can be.
pub(super) type LabelList = ArrayVec<KeyValue, 8>;

impl Labels {
    /// Those that are known from the start to the end: an up-down counter must have the same at both.
    pub(super) fn constant(&self) -> LabelList {
        let mut list = LabelList::new();
        list.push(KeyValue::new(attribute::HTTP_REQUEST_METHOD, self.method));
        list.push(KeyValue::new(attribute::URL_SCHEME, self.scheme));
        if let Some((address, port)) = &self.server {
            list.push(KeyValue::new(attribute::SERVER_ADDRESS, address.clone()));
            list.push(KeyValue::new(attribute::SERVER_PORT, i64::from(*port)));
        }
        list
    }
}

/// The labels that become known with the response.
#[derive(Debug, Clone, Copy)]
pub(super) struct EndLabels<'a> {
    /// The version of HTTP.
    pub(super) version: Option<&'static str>,
    pub(super) status: Option<StatusCode>,
    pub(super) error_type: Option<&'a StringValue>,
}

impl EndLabels<'_> {
    /// These, and those that were known before.
    pub(super) fn list_with(&self, labels: &Labels) -> LabelList {
        let mut list = labels.constant();
        if let Some(version) = self.version {
            list.push(KeyValue::new(attribute::NETWORK_PROTOCOL_VERSION, version));
        }
        if let Some((name, route)) = &labels.route {
            list.push(KeyValue::new(*name, route.clone()));
        }
        if let Some(status) = self.status {
            let status = i64::from(status.as_u16());
            list.push(KeyValue::new(attribute::HTTP_RESPONSE_STATUS_CODE, status));
        }
        if let Some(error_type) = self.error_type {
            list.push(KeyValue::new(attribute::ERROR_TYPE, error_type.clone()));
        }
        list
    }
}
