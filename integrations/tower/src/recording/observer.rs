use std::sync::Arc;

use azmon_instrument::http::Exchange;
use http::response;

use crate::{client, server};

/// The layer that an exchange belongs to, as far as it has something to do with the response.
#[derive(Debug, Clone)]
pub(crate) enum Observer {
    Client(Arc<client::Settings>),
    Server(Arc<server::Settings>),
}

impl Observer {
    pub(crate) fn on_response(&self, exchange: &mut Exchange, head: &mut response::Parts) {
        exchange.on_response(head.status, &head.headers);
        match self {
            Self::Client(settings) => client::on_response(settings, exchange, head),
            Self::Server(settings) => server::on_response(settings, exchange, head),
        }
    }
}
