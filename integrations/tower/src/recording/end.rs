use std::fmt;

use azmon::instrument::http::{Ending, Exchange};
use http_body::Body;

use super::ResponseBody;

/// Where a span ends: [`AtBodyEnd`] or [`AtHeaders`]. This trait is sealed.
pub trait SpanEnd: sealed::Sealed + Copy + fmt::Debug {
    /// The body of responses.
    type Body<B: Body<Error: fmt::Debug + 'static>>;

    #[doc(hidden)]
    fn wrap<B: Body<Error: fmt::Debug + 'static>>(
        body: B,
        exchange: Option<Exchange>,
    ) -> Self::Body<B>;
}

/// A span ends with the body of the response, which is wrapped.
#[derive(Debug, Clone, Copy)]
pub struct AtBodyEnd;

/// A span ends with the head of the response, whose body stays what it was.
#[derive(Debug, Clone, Copy)]
pub struct AtHeaders;

impl SpanEnd for AtBodyEnd {
    type Body<B: Body<Error: fmt::Debug + 'static>> = ResponseBody<B>;

    fn wrap<B: Body<Error: fmt::Debug + 'static>>(
        body: B,
        exchange: Option<Exchange>,
    ) -> ResponseBody<B> {
        ResponseBody::new(body, exchange)
    }
}

impl SpanEnd for AtHeaders {
    type Body<B: Body<Error: fmt::Debug + 'static>> = B;

    fn wrap<B: Body<Error: fmt::Debug + 'static>>(body: B, exchange: Option<Exchange>) -> B {
        if let Some(exchange) = exchange {
            exchange.end(Ending::AtHeaders);
        }
        body
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AtBodyEnd {}
    impl Sealed for super::AtHeaders {}
}
