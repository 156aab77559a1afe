use azmon_instrument::http::Exchange;
use azmon_instrument::propagation;
use http::{HeaderName, HeaderValue, response};

use super::route::{Name, late_route};
use super::settings::ServerSettings;
use crate::ResponseHead;
use crate::future::OnHead;

/// Records the status, the route and the attributes of a response, and adds the configured headers to it.
impl OnHead for ServerSettings {
    fn on_head(&self, exchange: Option<&mut Exchange>, head: &mut response::Parts) {
        let Some(exchange) = exchange else { return };
        exchange.on_response(head.status, &head.headers);
        if !exchange.has_route()
            && let Some(route) = late_route(head)
        {
            let name = Name::of_route(exchange.late_method().unwrap_or_default(), route);
            if let Some(route) = name.route {
                exchange.set_route(route, exchange.late_method().map(|_| name.name));
            }
        }
        exchange.add_attributes(|attributes| {
            attributes.extend(self.http.response_headers.attributes(&head.headers));
            if let Some(hook) = self.on_response.get() {
                hook(&ResponseHead::of(head), attributes);
            }
        });
        if self.sends_trace_id() {
            self.send_trace_id(exchange, head);
        }
    }
}

impl ServerSettings {
    fn send_trace_id(&self, exchange: &Exchange, head: &mut response::Parts) {
        const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
        const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

        let Some(parent) = propagation::traceparent(exchange.context()) else {
            return;
        };
        if self.sends_traceresponse {
            head.headers.insert(TRACERESPONSE, parent.clone());
        }
        if self.sends_server_timing {
            let timing = [b"traceparent;desc=\"", parent.as_bytes(), b"\""].concat();
            if let Ok(timing) = HeaderValue::try_from(timing) {
                head.headers.append(SERVER_TIMING, timing);
            }
        }
    }
}
