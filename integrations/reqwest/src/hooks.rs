use std::error::Error;

use opentelemetry::KeyValue;
use reqwest::{Request, Response};

pub(crate) type OnError = dyn Fn(&(dyn Error + 'static), &mut Vec<KeyValue>) + Send + Sync;
pub(crate) type OnRequest = dyn Fn(&Request, &mut Vec<KeyValue>) + Send + Sync;
pub(crate) type OnResponse = dyn Fn(&Response, &mut Vec<KeyValue>) + Send + Sync;
