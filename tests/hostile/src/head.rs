//! Heads of requests and responses.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version};

use super::Bytes;

/// A secret that must not appear in telemetry.
pub(super) const SECRET: &str = "hunter2";

const METHODS: [&str; 8] = [
    "GET", "POST", "HEAD", "CONNECT", "get", "_OTHER", "PROPFIND", "M-SEARCH",
];

const AUTHORITIES: [&str; 12] = [
    "",
    "shop.test",
    "shop.test:8080",
    "[::1]:80",
    "[::1]:99999",
    "[::1]junk",
    "::1",
    "a:b",
    ":",
    "@",
    "u:p@h",
    "api.internal",
];

/// Pieces of a path.
const PIECES: [&str; 14] = [
    "/",
    "//",
    "/health",
    "/users/7",
    "/%2e%2e",
    "/a.B/C",
    "=",
    "%",
    "%zz",
    ";jsession=hunter2",
    "+",
    "*",
    "/\u{fc}",
    "/../",
];

/// Parameters of a query.
const PARAMETERS: [&str; 14] = [
    "x=1",
    "a",
    "",
    "=",
    "%zz=1",
    "x=%3D",
    "token=hunter2",
    "%74oken=hunter2",
    "sig=hunter2",
    "subscription-key=hunter2",
    "AccountKey=hunter2",
    "next=%2Fcb%3Fcode%3Dhunter2",
    "next=/cb?code=hunter2",
    "user[password]=hunter2",
];

const NAMES: [&str; 18] = [
    "host",
    "user-agent",
    "content-type",
    "content-length",
    "traceparent",
    "tracestate",
    "baggage",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-tenant",
    "transfer-encoding",
    "grpc-status",
    "connection",
    "te",
    "cookie",
    "x-request-id",
];

const VALUES: [&str; 34] = [
    "",
    "0",
    "5",
    "18446744073709551613",
    "18446744073709551615",
    "99999999999999999999999",
    "-1",
    "5, 5",
    "68719476737",
    "application/grpc",
    "application/grpc+proto",
    "text/plain",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
    "00-00000000000000000000000000000000-0000000000000000-ff",
    "ff-4bf92f3577b34da6a3ce929d0e0e4736",
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x",
    "a=1,b=2",
    "a=1,,=,a",
    "k=v;p=1,k2=%zz",
    "=",
    "for=\"[2001:db8::1]:47\";host=a,for=b",
    "for=\"x, for=y",
    "192.0.2.1, 10.0.0.1",
    "unknown",
    ",",
    "https",
    "kube-probe/1.30",
    "Mozilla/5.0",
    "shop.test",
    "api.internal:80",
    "12",
    "13",
    "256",
];

pub(super) fn method(bytes: &mut Bytes<'_>) -> Method {
    let name = match bytes.below(10) {
        0 => bytes.raw(),
        _ => bytes.pick(&METHODS).unwrap_or_default().as_bytes(),
    };
    Method::from_bytes(name).unwrap_or_default()
}

pub(super) fn uri(bytes: &mut Bytes<'_>) -> Uri {
    let mut text = String::from("/");
    if bytes.below(4) == 0 {
        text = format!("http://{}/", bytes.pick(&AUTHORITIES).unwrap_or_default());
    }
    let is_long = bytes.below(200) == 0;
    for _ in 0..if is_long { 5_000 } else { bytes.below(6) } {
        text.push_str(bytes.pick(&PIECES).unwrap_or_default());
    }
    for number in 0..bytes.below(6) {
        let separator = if number == 0 {
            "?"
        } else {
            bytes.pick(&["&", ";"]).unwrap_or("&")
        };
        text.push_str(separator);
        text.push_str(bytes.pick(&PARAMETERS).unwrap_or_default());
    }
    text.parse().unwrap_or_default()
}

pub(super) fn headers(bytes: &mut Bytes<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for _ in 0..bytes.below(8) {
        let name = bytes.pick(&NAMES).unwrap_or("host");
        let value = match bytes.below(12) {
            0 => bytes.raw().to_vec(),
            1 => {
                let piece = bytes.pick(&VALUES).unwrap_or_default();
                piece.repeat(bytes.below(64) * 16).into_bytes()
            }
            _ => bytes.pick(&VALUES).unwrap_or_default().as_bytes().to_vec(),
        };
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    headers
}

pub(super) fn version(bytes: &mut Bytes<'_>) -> Version {
    let versions = [
        Version::HTTP_11,
        Version::HTTP_2,
        Version::HTTP_10,
        Version::HTTP_3,
        Version::HTTP_09,
    ];
    bytes.pick(&versions).unwrap_or_default()
}

pub(super) fn status(bytes: &mut Bytes<'_>) -> StatusCode {
    let code = [200, 204, 304, 101, 404, 500, 503, 999, 100, 599];
    let code = bytes.pick(&code).unwrap_or(200);
    StatusCode::from_u16(code).unwrap_or_default()
}
