use std::fmt;

use azmon_instrument::http::Ending;
use http_body::Body;

use super::{ResponseBody, Scope};

/// Where the span of a response with the body `B` ends: [`AtBodyEnd`], [`AtHeaders`], or, for axum,
/// `AxumBody`. This trait is sealed.
pub trait SpanEnd<B>: sealed::Sealed {
    /// The body that it has then.
    type Body;

    #[doc(hidden)]
    fn wrap(body: B, scope: Scope) -> Self::Body;
}

/// A span ends with the body of the response, which is wrapped.
#[derive(Debug, Clone, Copy)]
pub struct AtBodyEnd;

/// A span ends with the head of the response, whose body stays what it was.
#[derive(Debug, Clone, Copy)]
pub struct AtHeaders;

/// A span ends with the body of the response, which is one of axum.
#[cfg(feature = "axum")]
#[derive(Debug, Clone, Copy)]
pub struct AxumBody;

impl<B: Body<Error: fmt::Debug + 'static>> SpanEnd<B> for AtBodyEnd {
    type Body = ResponseBody<B>;

    fn wrap(body: B, scope: Scope) -> ResponseBody<B> {
        ResponseBody::new(body, scope)
    }
}

impl<B> SpanEnd<B> for AtHeaders {
    type Body = B;

    fn wrap(body: B, mut scope: Scope) -> B {
        if let Some(exchange) = scope.take_exchange() {
            exchange.end(Ending::AtHeaders);
        }
        body
    }
}

/// A body that is axum's already is not boxed again if the request is excluded and the size of the body is
/// known: it is there then, and does nothing while it is sent.
#[cfg(feature = "axum")]
impl<B> SpanEnd<B> for AxumBody
where
    B: Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError> + fmt::Debug + 'static,
{
    type Body = axum::body::Body;

    fn wrap(body: B, scope: Scope) -> axum::body::Body {
        let does_nothing = match scope {
            Scope::None => true,
            Scope::Excluded(_) => body.size_hint().exact().is_some(),
            Scope::Unrecorded(_) | Scope::Recorded(_) => false,
        };
        if does_nothing {
            axum::body::Body::new(body)
        } else {
            axum::body::Body::new(ResponseBody::new(body, scope))
        }
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AtBodyEnd {}
    impl Sealed for super::AtHeaders {}
    #[cfg(feature = "axum")]
    impl Sealed for super::AxumBody {}
}
