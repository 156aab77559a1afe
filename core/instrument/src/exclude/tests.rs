use http::Method;
use serde::Deserialize;

use super::{EXCLUDED_CLIENT_HOSTS, EXCLUDED_HOSTS, EXCLUDED_PATHS, Exclusions};

fn paths(entry: &str) -> Exclusions {
    Exclusions::new().with_paths([entry]).unwrap()
}

fn hosts(entry: &str) -> Exclusions {
    Exclusions::new().with_hosts([entry]).unwrap()
}

#[track_caller]
fn assert_paths(entry: &str, excluded: &[&str], kept: &[&str]) {
    let exclusions = paths(entry);
    for path in excluded {
        assert!(exclusions.excludes_path(path), "{entry} keeps {path}");
    }
    for path in kept {
        assert!(!exclusions.excludes_path(path), "{entry} excludes {path}");
    }
}

#[track_caller]
fn assert_hosts(entry: &str, excluded: &[&str], kept: &[&str]) {
    let exclusions = hosts(entry);
    for host in excluded {
        assert!(
            exclusions.excludes_host(host, Some(80)),
            "{entry} keeps {host}"
        );
    }
    for host in kept {
        assert!(
            !exclusions.excludes_host(host, Some(80)),
            "{entry} excludes {host}"
        );
    }
}

#[test]
fn a_plain_path_is_a_prefix_that_ends_with_a_segment() {
    assert_paths(
        "/health",
        &["/health", "/health/", "/health/live", "/health?full=1"],
        &["/healthz", "/api/health", "/HEALTH", "/", "/?next=/health"],
    );
    assert_paths("/api/v1/", &["/api/v1", "/api/v1/x"], &["/api", "/api/v10"]);
}

#[test]
fn the_leading_slash_of_a_path_does_not_matter() {
    for entry in [
        "health",
        "/health",
        "exact:health",
        "exact:/health",
        "glob:health",
        "glob:/health",
    ] {
        assert_paths(entry, &["/health", "health", "//health"], &["/healthz"]);
    }
}

#[test]
fn the_root_excludes_only_itself() {
    assert_paths("/", &["/", "", "/?x"], &["/a"]);
}

#[test]
fn an_exact_path_excludes_nothing_below_it() {
    assert_paths(
        "exact:/health",
        &["/health", "/health?x"],
        &["/health/live", "/health/"],
    );
}

#[test]
fn a_star_stops_at_a_slash_and_two_do_not() {
    assert_paths(
        "glob:/a/*/c",
        &["/a/b/c", "/a//c"],
        &["/a/b/b/c", "/a/b/c/d", "/x/a/b/c"],
    );
    assert_paths(
        "glob:/assets/**.css",
        &["/assets/a.css", "/assets/x/a.css"],
        &["/assets/a.js"],
    );
    assert_paths("glob:/v?/x", &["/v1/x"], &["/v10/x", "/v/x"]);
    assert_paths("glob:**", &["/", "/a/b"], &[]);
    assert_paths("glob:/a.c(", &["/a.c("], &["/abc("]);
}

#[test]
fn a_regex_is_found_anywhere_unless_anchored() {
    assert_paths("regex:health", &["/health", "/api/healthz"], &["/ready"]);
    assert_paths(
        "regex:^/v[0-9]+/ping$",
        &["/v1/ping", "/v22/ping?x"],
        &["/v/ping", "/a/v1/ping"],
    );
}

#[test]
fn a_plain_host_is_the_whole_name_in_any_case() {
    assert_hosts(
        "Example.com",
        &[
            "example.com",
            "EXAMPLE.COM",
            "example.com:8080",
            "example.com.",
        ],
        &[
            "www.example.com",
            "example.com.evil.net",
            "notexample.com",
            "",
        ],
    );
}

#[test]
fn a_suffix_excludes_what_is_below_it() {
    assert_hosts(
        "*.internal",
        &["api.internal", "a.b.INTERNAL", "api.internal:8443"],
        &["internal", ".internal", "api.internal.net", "apiinternal"],
    );
}

#[test]
fn a_port_is_compared_if_the_entry_has_one() {
    assert_hosts(
        "localhost:5000",
        &["localhost:5000"],
        &["localhost", "localhost:80"],
    );
    assert_hosts(
        "localhost:80",
        &["localhost:80", "localhost"],
        &["localhost:81"],
    );
    assert_hosts("*.internal:8443", &["a.internal:8443"], &["a.internal"]);
    assert_hosts(
        "[::1]:80",
        &["[::1]:80", "[::1]"],
        &["[::1]:81", "[::2]:80"],
    );
    assert_hosts("[::1]", &["[::1]:80", "[::1]"], &["[::2]"]);
}

#[test]
fn an_address_is_the_same_however_it_is_written() {
    for entry in ["[::1]", "::1", "[0:0:0:0:0:0:0:1]", "exact:::1"] {
        assert_hosts(entry, &["[::1]:80", "[0:0:0:0:0:0:0:1]:7"], &["[::2]"]);
    }
    assert_hosts("[0::1]:80", &["[::1]:80", "[::1]"], &["[::1]:81"]);
    assert_hosts(
        "10.0.0.1",
        &["10.0.0.1", "[::ffff:10.0.0.1]:80"],
        &["10.0.0.11"],
    );
}

#[test]
fn hosts_have_the_other_forms_too() {
    assert_hosts("exact:example.com", &["example.com:1"], &["a.example.com"]);
    assert_hosts(
        "glob:api-?.*.example.com",
        &["api-1.eu.EXAMPLE.com"],
        &["api-1.a.b.example.com"],
    );
    assert_hosts("glob:**.com:80", &["a.b.com"], &["a.b.com:81"]);
    assert_hosts("regex:^10[.]", &["10.1.2.3:80"], &["110.1.2.3", "x10.y"]);
}

/// Whether a request for `http://example.com/` is excluded.
fn excludes_incoming(exclusions: &Exclusions, method: &Method, user_agent: &str) -> bool {
    exclusions.excludes_target(method, "/")
        || exclusions.excludes_caller("example.com", 80, Some(user_agent))
}

#[test]
fn methods_are_excluded_by_name() {
    let exclusions = Exclusions::new()
        .with_methods(["options", "TRACE"])
        .unwrap();
    for (method, excluded) in [
        (Method::OPTIONS, true),
        (Method::TRACE, true),
        (Method::GET, false),
    ] {
        assert_eq!(excludes_incoming(&exclusions, &method, "x"), excluded);
    }
}

#[test]
fn user_agents_are_excluded_in_all_forms() {
    for (entry, excluded, kept) in [
        ("alwayson", "Mozilla/5.0 AlwaysOn", "always on"),
        (
            "exact:kube-probe/1.30",
            "Kube-Probe/1.30",
            "kube-probe/1.30+",
        ),
        ("glob:kube-probe/*", "kube-probe/1.30", "my kube-probe/1.30"),
        ("regex:^curl/[78]", "curl/8.5", "libcurl/8.5"),
    ] {
        let exclusions = Exclusions::new().with_user_agents([entry]).unwrap();
        assert!(
            excludes_incoming(&exclusions, &Method::GET, excluded),
            "{entry}"
        );
        assert!(
            !excludes_incoming(&exclusions, &Method::GET, kept),
            "{entry}"
        );
    }
}

#[test]
fn a_request_is_excluded_by_any_of_its_parts() {
    for exclusions in [paths("/"), hosts("example.com"), hosts("example.com:80")] {
        assert!(excludes_incoming(&exclusions, &Method::GET, "curl"));
    }
    assert!(!excludes_incoming(&Exclusions::new(), &Method::GET, "curl"));
}

#[test]
fn an_entry_without_a_meaning_is_an_error_that_names_it() {
    for entry in [
        "",
        " ",
        "exact:",
        "regex:(",
        "regex:",
        "/api/*",
        "/a?b=c",
        "exact:/a?b",
    ] {
        let error = Exclusions::new().with_paths([entry]).unwrap_err();
        assert_eq!(error.entry(), entry);
        assert!(error.to_string().contains(&format!("{entry:?}")), "{error}");
    }
    for entry in [
        "",
        "http://example.com",
        "example.com/path",
        "a:b",
        "a:70000",
        "a:",
        "*",
        "*x",
        "a.*.b",
        "*.a.*",
        "regex:[",
        ":80",
        "[::1]:99999",
        "[::1]junk",
        "[::1",
        "[example.com]",
        "::1:99999",
    ] {
        let error = Exclusions::new().with_hosts([entry]).unwrap_err();
        assert_eq!(error.entry(), entry);
    }
    assert!(Exclusions::new().with_methods(["GET /"]).is_err());
    assert!(Exclusions::new().with_user_agents(["regex:("]).is_err());
}

#[test]
fn the_environment_excludes_what_has_a_meaning() {
    let exclusions = Exclusions::from_environment(|variable| {
        let list = match variable {
            EXCLUDED_PATHS => " /healthz, regex:( , exact:/ready,, ",
            EXCLUDED_HOSTS => "*.internal,localhost:5000",
            _ => return None,
        };
        Some(list.to_owned())
    });
    assert!(exclusions.excludes_path("/healthz"));
    assert!(exclusions.excludes_path("/ready"));
    assert!(!exclusions.excludes_path("/orders"));
    assert!(exclusions.excludes_host("a.internal", None));
    assert!(exclusions.excludes_host("localhost:5000", None));
    assert!(!Exclusions::from_environment(|_| None).excludes_path("/healthz"));
}

#[test]
fn the_environment_excludes_more_hosts_of_outgoing_requests() {
    let lookup = |variable: &str| {
        let list = match variable {
            EXCLUDED_CLIENT_HOSTS => "*.vault.azure.net",
            EXCLUDED_HOSTS => "*.internal",
            EXCLUDED_PATHS => "/healthz",
            _ => return None,
        };
        Some(list.to_owned())
    };
    let outgoing = Exclusions::outgoing_from_environment(lookup);
    assert!(outgoing.excludes_host("a.internal", None));
    assert!(outgoing.excludes_host("my.vault.azure.net", Some(443)));
    assert!(!outgoing.excludes_path("/healthz"));
    let incoming = Exclusions::from_environment(lookup);
    assert!(!incoming.excludes_host("my.vault.azure.net", Some(443)));
}

#[test]
fn merged_lists_exclude_what_either_does() {
    let mut exclusions = paths("/a");
    exclusions.merge(hosts("b"));
    exclusions.merge(Exclusions::opencensus(Some(["c"]), ["d"]));
    assert!(exclusions.excludes_path("/a") && exclusions.excludes_path("/cc"));
    assert!(exclusions.excludes_host("b", None) && exclusions.excludes_host("d", None));
}

#[derive(Deserialize)]
struct Vectors {
    disable_tracing_url: Vec<UrlVector>,
    disable_tracing_hostname: Vec<HostnameVector>,
}

#[derive(Deserialize)]
struct UrlVector {
    url: String,
    excludelist_paths: Option<Vec<String>>,
    excluded: Answer,
}

#[derive(Deserialize)]
struct HostnameVector {
    dest: String,
    excludelist_hostnames: Option<Vec<String>>,
    excluded: Answer,
}

/// OpenCensus raises an exception in the request for a URL without a path. azmon does not exclude such a request.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Excluded(bool),
    Raises(String),
}

impl Answer {
    fn excluded(&self) -> bool {
        match self {
            Self::Excluded(excluded) => *excluded,
            Self::Raises(exception) => {
                assert!(exception.contains("IndexError"));
                false
            }
        }
    }
}

#[test]
fn opencensus_lists_exclude_what_opencensus_excluded() {
    let vectors: Vectors = serde_json::from_str(include_str!("golden/opencensus.json")).unwrap();
    assert_eq!(vectors.disable_tracing_url.len(), 21);
    for vector in vectors.disable_tracing_url {
        let exclusions =
            Exclusions::opencensus(vector.excludelist_paths.clone(), Vec::<String>::new());
        assert_eq!(
            exclusions.excludes_path(&vector.url),
            vector.excluded.excluded(),
            "{} of {:?}",
            vector.url,
            vector.excludelist_paths
        );
    }
    assert_eq!(vectors.disable_tracing_hostname.len(), 10);
    for vector in vectors.disable_tracing_hostname {
        let hostnames = vector.excludelist_hostnames.unwrap_or_default();
        let exclusions = Exclusions::opencensus(Some(Vec::<String>::new()), hostnames.clone());
        assert_eq!(
            exclusions.excludes_host(&vector.dest, Some(80)),
            vector.excluded.excluded(),
            "{} of {hostnames:?}",
            vector.dest
        );
    }
}

#[test]
fn opencensus_hostnames_are_those_of_outgoing_requests() {
    let exclusions = Exclusions::opencensus(Some(Vec::<String>::new()), ["example.com"]);
    assert!(exclusions.excludes_host("example.com", None));
    assert!(!excludes_incoming(&exclusions, &Method::GET, "x"));
}
