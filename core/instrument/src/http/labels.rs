use std::borrow::Cow;

use arrayvec::ArrayVec;
use http::StatusCode;
use opentelemetry::{KeyValue, StringValue};

use crate::semconv::{attribute, server};

/// The attributes of metrics; each has a small set of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels<'a> {
    /// The method, or `_OTHER`.
    pub method: &'static str,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The host that a client calls, with its port if it has one. `None` on a server, whose callers could choose any
    /// host.
    pub authority: Option<Cow<'a, str>>,
    /// The route of a server, with the name [`attribute::HTTP_ROUTE`], or the template of a client, with
    /// the name [`attribute::URL_TEMPLATE`].
    pub route: Option<(&'static str, StringValue)>,
}

/// A list with room for all labels.
pub(super) type LabelList = ArrayVec<KeyValue, 8>;

impl Labels<'_> {
    pub(super) fn to_owned(&self) -> Labels<'static> {
        Labels {
            method: self.method,
            scheme: self.scheme,
            authority: self
                .authority
                .as_deref()
                .map(|text| Cow::Owned(text.to_owned())),
            route: self.route.clone(),
        }
    }

    /// The labels that are known from start to end. An up-down counter must have equal labels at both.
    pub(super) fn constant(&self) -> LabelList {
        let mut list = LabelList::new();
        list.push(KeyValue::new(attribute::HTTP_REQUEST_METHOD, self.method));
        list.push(KeyValue::new(attribute::URL_SCHEME, self.scheme));
        let authority = self.authority.as_deref().unwrap_or_default();
        if let Some((address, port)) = server(authority, self.scheme) {
            list.push(KeyValue::new(attribute::SERVER_ADDRESS, address.to_owned()));
            list.push(KeyValue::new(attribute::SERVER_PORT, i64::from(port)));
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
    /// The labels of the end together with `labels`.
    pub(super) fn list_with(&self, labels: &Labels<'_>) -> LabelList {
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
