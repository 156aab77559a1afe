//! Calls over HTTP.

use super::*;

#[test]
fn http_calls_name_method_path_and_host() {
    let attributes = [
        ("http.request.method", "GET".into()),
        (
            "url.full",
            "https://svc.example.com:8443/orders/9?x=1".into(),
        ),
        ("server.address", "svc.example.com".into()),
        ("server.port", 8443.into()),
        ("http.response.status_code", 204.into()),
        ("url.template", "/orders/{id}".into()),
    ];
    let data = data(SpanKind::Client, &attributes);
    assert_eq!(data["name"], "GET /orders/9");
    assert_eq!(data["type"], "Http");
    assert_eq!(data["target"], "svc.example.com:8443");
    assert_eq!(data["data"], "https://svc.example.com:8443/orders/9?x=1");
    assert_eq!(data["resultCode"], "204");
    assert_eq!(data["properties"], json!({"url.template": "/orders/{id}"}));
}

#[test]
fn an_http_target_has_no_default_port_and_no_credentials() {
    for (attributes, expected) in [
        (&[("url.full", "https://u:p@h:443/")][..], "h"),
        (&[("url.full", "https://u:p@x@h/")], "h"),
        (&[("url.full", "https://h:80/")], "h:80"),
        (&[("url.full", "ws://h:80/")], "h:80"),
        (&[("url.full", "https://h?q")], "h"),
        (
            &[
                ("url.full", "http://h/"),
                ("server.address", "s"),
                ("server.port", "80"),
            ],
            "s",
        ),
        (&[("server.address", "s"), ("server.port", "443")], "s"),
        (&[("http.host", "h:80"), ("http.scheme", "http")], "h"),
        (&[("http.host", "h:80"), ("http.scheme", "https")], "h:80"),
        (
            &[
                ("http.scheme", "http"),
                ("net.peer.ip", "10.0.0.1"),
                ("net.peer.port", "80"),
            ],
            "10.0.0.1",
        ),
        (
            &[("url.full", "https://h/"), ("peer.service", "orders")],
            "orders",
        ),
        (
            &[
                ("url.full", "https://h/"),
                ("server.address", "::1"),
                ("server.port", "81"),
            ],
            "[::1]:81",
        ),
    ] {
        let method = std::iter::once(("http.request.method", "GET".into()));
        let pairs = attributes
            .iter()
            .map(|(key, value)| (*key, (*value).into()));
        let pairs: Vec<_> = method.chain(pairs).collect();
        assert_eq!(
            data(SpanKind::Client, &pairs)["target"],
            expected,
            "{attributes:?}"
        );
    }
}
