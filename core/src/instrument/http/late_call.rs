use arrayvec::ArrayString;
use http::Method;
use opentelemetry::KeyValue;

use super::labels::Labels;
use super::outgoing_request::OutgoingRequest;
use crate::pipeline::LateAttributes;

/// Room for the URLs of most requests.
const ROOM: usize = 192;

/// What the attributes of an outgoing request are made of, copied in place.
#[derive(Debug)]
pub(super) struct LateCall {
    labels: Labels,
    method: Method,
    resend_count: u32,
    size: Option<u64>,
    url: ArrayString<ROOM>,
}

impl LateCall {
    /// `None` if there is no room for the URL.
    pub(super) fn new(request: &OutgoingRequest<'_>, labels: &Labels, url: &str) -> Option<Self> {
        Some(Self {
            labels: labels.clone(),
            method: request.method.clone(),
            resend_count: request.resend_count,
            size: request.size,
            url: ArrayString::from(url).ok()?,
        })
    }
}

impl LateAttributes for LateCall {
    fn write(&self, attributes: &mut Vec<KeyValue>) {
        let request = OutgoingRequest {
            authority: "",
            method: &self.method,
            resend_count: self.resend_count,
            scheme: self.labels.scheme,
            size: self.size,
            template: self.labels.route.as_ref().map(|(_, template)| template),
        };
        attributes.reserve_exact(OutgoingRequest::MAX_ATTRIBUTES);
        request.write(&self.labels, self.url.to_string(), attributes);
    }

    fn size(&self) -> usize {
        0
    }
}
