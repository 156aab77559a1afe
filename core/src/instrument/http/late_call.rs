use std::sync::Arc;

use arrayvec::ArrayString;
use http::Method;
use opentelemetry::{KeyValue, StringValue};

use super::outgoing_request::OutgoingRequest;
use super::redaction::Redaction;
use crate::pipeline::LateAttributes;

/// Room for the URL and the authority of most requests.
const ROOM: usize = 192;

/// What the attributes of an outgoing request are made of, copied in place.
#[derive(Debug)]
pub(super) struct LateCall {
    method: Method,
    resend_count: u32,
    scheme: &'static str,
    size: Option<u64>,
    template: Option<StringValue>,
    redaction: Arc<Redaction>,
    /// The URL, and then the authority.
    texts: ArrayString<ROOM>,
    url_length: usize,
}

impl LateCall {
    /// `None` if there is no room for the URL.
    pub(super) fn new(
        request: &OutgoingRequest<'_>,
        url: &str,
        redaction: &Arc<Redaction>,
    ) -> Option<Self> {
        let mut texts = ArrayString::new();
        texts.try_push_str(url).ok()?;
        texts.try_push_str(request.authority).ok()?;
        Some(Self {
            method: request.method.clone(),
            resend_count: request.resend_count,
            scheme: request.scheme,
            size: request.size,
            template: request.template.cloned(),
            redaction: Arc::clone(redaction),
            texts,
            url_length: url.len(),
        })
    }
}

impl LateAttributes for LateCall {
    fn write(&self, attributes: &mut Vec<KeyValue>) {
        let (url, authority) = self.texts.split_at(self.url_length);
        let request = OutgoingRequest {
            authority,
            method: &self.method,
            resend_count: self.resend_count,
            scheme: self.scheme,
            size: self.size,
            template: self.template.as_ref(),
        };
        attributes.reserve_exact(OutgoingRequest::MAX_ATTRIBUTES);
        request.write(url, &self.redaction, attributes);
    }

    fn size(&self) -> usize {
        0
    }
}
