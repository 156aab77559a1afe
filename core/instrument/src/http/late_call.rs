use arrayvec::ArrayString;
use http::Method;
use opentelemetry::{KeyValue, StringValue};

use super::outgoing_request::OutgoingRequest;
use super::redaction::Redaction;
use crate::direct::LateAttributes;

/// Room for the URL and the authority of most requests.
const ROOM: usize = 192;

/// What the attributes of an outgoing request are made of, copied in place.
#[derive(Debug)]
pub struct LateCall {
    method: Method,
    resend_count: u32,
    scheme: &'static str,
    size: Option<u64>,
    template: Option<StringValue>,
    redaction: Redaction,
    /// The URL, and then the authority.
    texts: ArrayString<ROOM>,
    url_length: usize,
}

impl LateCall {
    pub(super) fn has_room_for(request: &OutgoingRequest<'_>, url: &str) -> bool {
        url.len() + request.authority.len() <= ROOM
    }

    /// Copies what there is [room for](Self::has_room_for).
    #[inline]
    pub(super) fn of(request: &OutgoingRequest<'_>, url: &str, redaction: &Redaction) -> Self {
        let mut texts = ArrayString::new();
        let mut copy = |text| texts.try_push_str(text).is_ok();
        let url_length = if copy(url) { url.len() } else { 0 };
        copy(request.authority);
        Self {
            method: request.method.clone(),
            resend_count: request.resend_count,
            scheme: request.scheme,
            size: request.size,
            template: request.template.cloned(),
            redaction: redaction.clone(),
            texts,
            url_length,
        }
    }

    fn request_and_url(&self) -> (OutgoingRequest<'_>, &str) {
        let (url, authority) = self.texts.split_at(self.url_length);
        let request = OutgoingRequest {
            authority,
            method: &self.method,
            resend_count: self.resend_count,
            scheme: self.scheme,
            size: self.size,
            template: self.template.as_ref(),
        };
        (request, url)
    }
}

impl LateAttributes for LateCall {
    fn write(&self, attributes: &mut Vec<KeyValue>) {
        let (request, url) = self.request_and_url();
        attributes.reserve_exact(OutgoingRequest::MAX_ATTRIBUTES);
        request.write(url, &self.redaction, attributes);
    }

    fn write_dimensions(&self, attributes: &mut Vec<KeyValue>) {
        let (request, _) = self.request_and_url();
        attributes.reserve(8); // and for what the response adds
        request.write_dimensions(attributes);
    }

    fn size(&self) -> usize {
        0
    }
}
