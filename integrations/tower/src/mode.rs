use std::fmt;

use azmon_instrument::http::{Ending, Scope};
use http_body::Body;

use crate::body::ResponseBody;

/// How a response with the body `B` is treated, and where its span ends: [`WrapBody`], [`EndAtHeaders`] or, for
/// axum, `WrapAxumBody`. This trait is sealed.
pub trait ResponseMode<B>: sealed::Sealed {
    /// The type of the response body after the layer.
    type Body;

    #[doc(hidden)]
    fn wrap(body: B, scope: Scope) -> Self::Body;
}

/// Wraps the body. The span ends with the body.
#[derive(Debug, Clone, Copy)]
pub struct WrapBody;

/// Ends the span with the head of the response. The body stays unchanged.
#[derive(Debug, Clone, Copy)]
pub struct EndAtHeaders;

/// Wraps the body in axum's `Body`. The span ends with the body.
#[cfg(feature = "axum")]
#[derive(Debug, Clone, Copy)]
pub struct WrapAxumBody;

impl<B: Body<Error: fmt::Debug + 'static>> ResponseMode<B> for WrapBody {
    type Body = ResponseBody<B>;

    fn wrap(body: B, scope: Scope) -> ResponseBody<B> {
        let scope = match scope {
            Scope::Excluded(_) if is_there(&body) => Scope::None,
            scope => scope,
        };
        ResponseBody::new(body, scope)
    }
}

/// Whether the size of a body is known: it is there then, and does nothing while it is sent.
fn is_there<B: Body>(body: &B) -> bool {
    body.size_hint().exact().is_some()
}

impl<B> ResponseMode<B> for EndAtHeaders {
    type Body = B;

    fn wrap(body: B, mut scope: Scope) -> B {
        scope.end(Ending::AtHeaders);
        body
    }
}

/// A body that is axum's already is not boxed again if it is empty, or if the request is excluded and the whole body is
/// in memory.
#[cfg(feature = "axum")]
impl<B> ResponseMode<B> for WrapAxumBody
where
    B: Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError> + fmt::Debug + 'static,
{
    type Body = axum::body::Body;

    fn wrap(body: B, scope: Scope) -> axum::body::Body {
        let does_nothing = match scope {
            Scope::None => true,
            Scope::Excluded(_) => is_there(&body),
            Scope::Unrecorded(_) => false,
            Scope::Recorded(ref exchange) => exchange.has_ended(),
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
    impl Sealed for super::WrapBody {}
    impl Sealed for super::EndAtHeaders {}
    #[cfg(feature = "axum")]
    impl Sealed for super::WrapAxumBody {}
}
