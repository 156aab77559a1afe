use std::error::Error;
use std::fmt;
use std::sync::Arc;

use opentelemetry::KeyValue;
use reqwest::{Request, Response};

pub(crate) type OnError = dyn Fn(&(dyn Error + 'static), &mut Vec<KeyValue>) + Send + Sync;
pub(crate) type OnRequest = dyn Fn(&Request, &mut Vec<KeyValue>) + Send + Sync;
pub(crate) type OnResponse = dyn Fn(&Response, &mut Vec<KeyValue>) + Send + Sync;

/// A function of the application that the middleware calls.
pub(crate) struct Hook<F: ?Sized>(pub(crate) Option<Arc<F>>);

impl<F: ?Sized> Hook<F> {
    pub(crate) fn get(&self) -> Option<&F> {
        self.0.as_deref()
    }
}

impl<F: ?Sized> Clone for Hook<F> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<F: ?Sized> Default for Hook<F> {
    fn default() -> Self {
        Self(None)
    }
}

impl<F: ?Sized> fmt::Debug for Hook<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "set" } else { "none" })
    }
}
