use http::{Extensions, HeaderMap, Method, Request, StatusCode, Uri, Version, response};

/// A request as hooks see it: everything except its body.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    extensions: &'a Extensions,
    headers: &'a HeaderMap,
    method: &'a Method,
    uri: &'a Uri,
    version: Version,
}

impl<'a> RequestHead<'a> {
    /// The head of a request.
    #[must_use]
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            extensions: request.extensions(),
            headers: request.headers(),
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
        }
    }

    /// Replaces the target by the one that the client sent, which a router has shortened.
    #[must_use]
    pub fn with_uri(self, uri: &'a Uri) -> Self {
        Self { uri, ..self }
    }

    /// Makes the head of a request that is not an `http::Request`.
    #[must_use]
    pub fn new(
        method: &'a Method,
        uri: &'a Uri,
        version: Version,
        headers: &'a HeaderMap,
        extensions: &'a Extensions,
    ) -> Self {
        Self {
            extensions,
            headers,
            method,
            uri,
            version,
        }
    }

    /// Values that outer layers attached to the request.
    #[must_use]
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The target as the client sent it, also inside a nested router. For a server of HTTP/1 it is usually the path and
    /// the query alone.
    #[must_use]
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The path and the query; `/` if the target has no path.
    #[must_use]
    pub fn path_and_query(&self) -> &'a str {
        let target = self.uri.path_and_query();
        target.map_or("/", http::uri::PathAndQuery::as_str)
    }

    /// The version of HTTP.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The first header of this name, if its value is ASCII.
    #[must_use]
    pub fn header(&self, name: &http::HeaderName) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A response as hooks see it: everything except its body.
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead<'a> {
    parts: &'a response::Parts,
}

impl<'a> ResponseHead<'a> {
    /// The head of a response.
    #[must_use]
    pub fn of(parts: &'a response::Parts) -> Self {
        Self { parts }
    }

    /// Values that inner services attached to the response.
    #[must_use]
    pub fn extensions(&self) -> &'a Extensions {
        &self.parts.extensions
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        &self.parts.headers
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.parts.status
    }
}
