use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Normalises `//v2.1//track/` to `/v2.1/track`: some SDKs append a path to an endpoint that ends in a slash.
pub(crate) async fn collapse_slashes(mut request: Request) -> Request {
    if let Some(uri) = collapsed(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

fn collapsed(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let needs_it = path.contains("//") || (path.len() > 1 && path.ends_with('/'));
    if !needs_it {
        return None;
    }
    let mut target = String::with_capacity(path.len());
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        target.push('/');
        target.push_str(segment);
    }
    if target.is_empty() {
        target.push('/');
    }
    if let Some(query) = uri.query() {
        target.push('?');
        target.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_and_trailing_slashes_are_collapsed() {
        for (from, to) in [
            ("//v2.1/track", "/v2.1/track"),
            ("/v2.1//track//", "/v2.1/track"),
            ("/v2/track/?a=//b/", "/v2/track?a=//b/"),
            ("//", "/"),
            (
                "http://localhost:1//v2/track",
                "http://localhost:1/v2/track",
            ),
        ] {
            let uri: Uri = from.parse().unwrap();
            assert_eq!(collapsed(&uri).unwrap(), to, "{from}");
        }
    }

    #[test]
    fn other_paths_are_left_alone() {
        for path in ["/", "/v2.1/track", "/operations/%2F%2F?a=//", "*"] {
            assert_eq!(collapsed(&path.parse().unwrap()), None, "{path}");
        }
    }
}
