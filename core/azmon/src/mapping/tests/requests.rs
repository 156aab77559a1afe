//! Requests: name, URL and source.

use super::*;

#[test]
fn a_request_is_called_after_its_route_else_its_span_else_its_path() {
    let method_and_path = texts([("http.request.method", "GET"), ("url.path", "/users/42")]);
    let route = [
        &method_and_path[..],
        &texts([("http.route", "/users/{id}")]),
    ]
    .concat();
    for (kind, name, attributes, expected) in [
        (SpanKind::Server, "span", &route, "GET /users/{id}"),
        (SpanKind::Server, "span", &method_and_path.to_vec(), "span"),
        (
            SpanKind::Server,
            "",
            &method_and_path.to_vec(),
            "GET /users/42",
        ),
        (SpanKind::Server, "", &Vec::new(), ""),
        (SpanKind::Consumer, "span", &route, "span"),
    ] {
        let envelope = &envelopes(&span(kind, name, attributes))[0];
        assert_eq!(envelope["data"]["baseData"]["name"], expected);
        assert_eq!(
            envelope["tags"]["ai.operation.name"]
                .as_str()
                .unwrap_or_default(),
            expected
        );
    }
}

#[test]
fn a_requests_url_is_taken_or_composed_of_new_or_old_attributes() {
    for (attributes, expected) in [
        (&[("url.full", "https://h:443/p")][..], "https://h:443/p"),
        (&[("http.url", "http://old/p")], "http://old/p"),
        (
            &[
                ("url.scheme", "https"),
                ("server.address", "h"),
                ("server.port", "443"),
                ("url.path", "/p"),
                ("url.query", "q"),
            ],
            "https://h/p?q",
        ),
        (
            &[
                ("url.scheme", "http"),
                ("server.address", "::1"),
                ("server.port", "8080"),
                ("url.path", "/p"),
            ],
            "http://[::1]:8080/p",
        ),
        (
            &[
                ("http.scheme", "http"),
                ("http.host", "old:80"),
                ("http.target", "/p?q"),
            ],
            "http://old:80/p?q",
        ),
        (
            &[
                ("http.scheme", "http"),
                ("http.server_name", "s"),
                ("net.host.port", "8080"),
                ("http.target", "/p"),
            ],
            "http://s:8080/p",
        ),
        (
            &[
                ("http.scheme", "http"),
                ("net.host.name", "n"),
                ("http.target", "/p"),
            ],
            "http://n/p",
        ),
        (&[("url.scheme", "http"), ("server.address", "h")], ""),
        (&[("server.address", "h"), ("url.path", "/p")], ""),
    ] {
        let pairs: Vec<_> = attributes
            .iter()
            .map(|(key, value)| (*key, (*value).into()))
            .collect();
        let url = data(SpanKind::Server, &pairs)["url"].clone();
        assert_eq!(url.as_str().unwrap_or_default(), expected, "{attributes:?}");
    }
}

#[test]
fn bots_tests_and_availability_tests_are_synthetic() {
    for (key, value, expected) in [
        ("user_agent.synthetic.type", "bot", "True"),
        ("user_agent.synthetic.type", "test", "True"),
        ("user_agent.synthetic.type", "human", ""),
        ("http.user_agent", "AlwaysOn probe", "True"),
        ("microsoft.synthetic_source", "load test", "load test"),
    ] {
        let envelope = &envelopes(&span(SpanKind::Server, "span", &texts([(key, value)])))[0];
        let source = envelope["tags"]["ai.operation.syntheticSource"].as_str();
        assert_eq!(source.unwrap_or_default(), expected, "{value}");
    }
}
