use std::io::Read;

use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;

/// A file of the pages.
#[derive(Debug)]
pub(super) struct File {
    /// With a leading slash.
    pub(super) path: &'static str,
    /// Its entity tag, in quotes.
    pub(super) tag: &'static str,
    /// Compressed with gzip.
    pub(super) packed: &'static [u8],
}

/// How long a browser may cache a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caching {
    /// The browser revalidates the file with its entity tag each time.
    AskAgain,
    /// The name contains a hash of the content.
    Forever,
}

impl Caching {
    const fn header(self) -> &'static str {
        match self {
            Self::AskAgain => "no-cache",
            Self::Forever => "public, max-age=31536000, immutable",
        }
    }
}

impl File {
    pub(super) fn answer(&self, headers: &HeaderMap, caching: Caching) -> Response {
        let common = [
            (CACHE_CONTROL, caching.header()),
            (ETAG, self.tag),
            (VARY, "accept-encoding"),
        ];
        if names(headers, IF_NONE_MATCH, self.tag) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let kind = (CONTENT_TYPE, self.content_type());
        if names(headers, ACCEPT_ENCODING, "gzip") {
            let encoding = (CONTENT_ENCODING, "gzip");
            return (common, [kind, encoding], self.packed).into_response();
        }
        (common, [kind], self.unpacked()).into_response()
    }

    fn content_type(&self) -> &'static str {
        match self.path.rsplit('.').next() {
            Some("css") => "text/css; charset=utf-8",
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        }
    }

    /// The uncompressed file, for clients without gzip. The build compressed it, so it can be decompressed.
    fn unpacked(&self) -> Vec<u8> {
        let mut content = Vec::new();
        match GzDecoder::new(self.packed).read_to_end(&mut content) {
            Ok(_) => content,
            Err(_) => Vec::new(),
        }
    }
}

/// Whether a header contains this value, with any weight or weak validator.
fn names(headers: &HeaderMap, header: axum::http::HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(header);
    let mut parts = values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    parts.any(|part| {
        let (value, weight) = part.split_once(';').unwrap_or((part, ""));
        let value = value.trim().trim_start_matches("W/");
        value == wanted && weight.replace(' ', "") != "q=0"
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::http::HeaderValue;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn file() -> File {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"let a = 1;").unwrap();
        File {
            path: "/assets/a-1.js",
            tag: "\"1\"",
            packed: encoder.finish().unwrap().leak(),
        }
    }

    fn asked(name: axum::http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    async fn body(response: Response) -> Vec<u8> {
        axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap()
            .to_vec()
    }

    #[tokio::test]
    async fn a_file_is_sent_packed_to_those_that_take_it() {
        let response = file().answer(&asked(ACCEPT_ENCODING, "br, gzip;q=0.8"), Caching::Forever);
        assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(
            response.headers()[CONTENT_TYPE],
            "text/javascript; charset=utf-8"
        );
        assert_eq!(
            response.headers()[CACHE_CONTROL],
            "public, max-age=31536000, immutable"
        );
        assert_eq!(body(response).await, file().packed);
    }

    #[tokio::test]
    async fn a_file_is_sent_as_it_is_to_others() {
        for headers in [HeaderMap::new(), asked(ACCEPT_ENCODING, "gzip; q=0")] {
            let response = file().answer(&headers, Caching::AskAgain);
            assert!(!response.headers().contains_key(CONTENT_ENCODING));
            assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
            assert_eq!(body(response).await, b"let a = 1;");
        }
    }

    #[tokio::test]
    async fn a_known_file_is_not_sent_again() {
        let response = file().answer(&asked(IF_NONE_MATCH, "\"0\", W/\"1\""), Caching::AskAgain);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert!(body(response).await.is_empty());
    }
}
