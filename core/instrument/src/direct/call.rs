use std::borrow::Cow;

use opentelemetry::{KeyValue, StringValue};

use crate::intern::interned;
use crate::secrets::Redaction;
use crate::semconv::{attribute, server};

/// The facts from which the attributes of an outgoing HTTP request are written.
#[derive(Debug, Clone)]
pub struct CallFacts<'a> {
    /// One of a small set of names.
    pub method: &'static str,
    /// The method as it was sent, if it is not a known one.
    pub original_method: Option<&'a str>,
    /// As it is sent.
    pub full_url: &'a str,
    /// Removes the secrets of the URL.
    pub redaction: &'a Redaction,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// A host, and its port if the URL has one.
    pub authority: &'a str,
    /// The template of the path.
    pub template: Option<&'a StringValue>,
    /// The size of the body in bytes, if it is known.
    pub size: Option<u64>,
    /// How often the request was sent before.
    pub resend_count: u32,
}

impl<'a> CallFacts<'a> {
    /// The URL without secrets.
    #[must_use]
    pub fn url(&self) -> Cow<'a, str> {
        self.redaction.url(self.full_url)
    }

    /// Writes the attributes.
    pub fn write(&self, attributes: &mut Vec<KeyValue>) {
        attribute::push(attributes, attribute::HTTP_REQUEST_METHOD, self.method);
        if let Some(original) = self.original_method {
            let name = attribute::HTTP_REQUEST_METHOD_ORIGINAL;
            attribute::push(attributes, name, original.to_owned());
        }
        let url = self.url().into_owned();
        attribute::push(attributes, attribute::URL_FULL, url);
        self.write_server(attributes);
        if let Some(template) = self.template {
            attribute::push(attributes, attribute::URL_TEMPLATE, template.clone());
        }
        if let Some(size) = self.size() {
            attribute::push(attributes, attribute::HTTP_REQUEST_BODY_SIZE, size);
        }
        if self.resend_count > 0 {
            let count = i64::from(self.resend_count);
            attribute::push(attributes, attribute::HTTP_REQUEST_RESEND_COUNT, count);
        }
    }

    /// Writes the attributes that mark the call as HTTP and name its server.
    pub fn write_dimensions(&self, attributes: &mut Vec<KeyValue>) {
        attribute::push(attributes, attribute::HTTP_REQUEST_METHOD, self.method);
        self.write_server(attributes);
    }

    /// The size of the body in bytes, as its attribute has it.
    #[must_use]
    pub fn size(&self) -> Option<i64> {
        self.size.and_then(|size| i64::try_from(size).ok())
    }

    fn write_server(&self, attributes: &mut Vec<KeyValue>) {
        attribute::push(attributes, attribute::URL_SCHEME, self.scheme);
        if let Some((address, port)) = server(self.authority, self.scheme) {
            let address = interned(address);
            attribute::push(attributes, attribute::SERVER_ADDRESS, address);
            attribute::push(attributes, attribute::SERVER_PORT, i64::from(port));
        }
    }
}
