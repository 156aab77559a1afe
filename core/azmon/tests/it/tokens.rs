//! Tokens of Microsoft Entra ID.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use azmon::{Storage, Token};

use crate::disk::Directory;
use crate::endpoint::{Endpoint, Script};
use crate::support::{builder, report, span};

#[test]
fn a_token_is_sent_and_a_refused_one_is_asked_for_again() {
    let refused = Script::Status(401, None);
    let endpoint = Endpoint::start([refused, Script::Accept, Script::Accept]);
    let number = Arc::new(Mutex::new(0));
    let telemetry = builder(endpoint.connection_string())
        .token_provider(move |scope: &str| {
            assert_eq!(scope, "https://monitor.azure.com//.default");
            let mut number = number.lock().unwrap();
            *number += 1;
            let expires_on = std::time::SystemTime::now() + Duration::from_secs(3_600);
            let token = Token::new(format!("token-{number}"), expires_on);
            async move { Ok(token) }
        })
        .build()
        .unwrap();
    for name in ["first", "second"] {
        span(&telemetry, name);
        telemetry.force_flush().unwrap();
    }
    let received = endpoint.received();
    let tokens: Vec<_> = received
        .iter()
        .map(|one| &one.headers["authorization"])
        .collect();
    assert_eq!(
        tokens,
        ["Bearer token-1", "Bearer token-2", "Bearer token-2"]
    );
    assert_eq!(report(&telemetry), [2, 0, 0]);
}

#[test]
fn a_token_provider_that_fails_at_first_loses_and_doubles_nothing() {
    fn token(secret: &str, life: Duration) -> Token {
        Token::new(secret, std::time::SystemTime::now() + life)
    }
    type First = fn() -> Result<Token, azmon::TokenError>;
    let panics: First = || panic!("on purpose");
    let expired: First = || Ok(token("stale", Duration::ZERO));
    let not_a_header: First = || Ok(token("a\nb", Duration::from_secs(3_600)));
    for (what, first, is_held) in [
        ("refuses", (|| Err("refused".into())) as First, true),
        ("panics", panics, true),
        ("gives no header's text", not_a_header, true),
        // The service refuses the token, and the provider is called again at once.
        ("gives an expired one", expired, false),
    ] {
        let refused = (!is_held).then_some(Script::Status(401, None));
        let endpoint = Endpoint::start(refused.into_iter().chain([Script::Accept]));
        let questions = Arc::new(AtomicUsize::new(0));
        let asked = questions.clone();
        let telemetry = builder(endpoint.connection_string())
            .token_provider(move |_: &str| {
                let given = match asked.fetch_add(1, Ordering::Relaxed) {
                    0 => first(),
                    _ => Ok(token("good", Duration::from_secs(3_600))),
                };
                async move { given }
            })
            .build()
            .unwrap();
        span(&telemetry, "kept");
        if is_held {
            let error = telemetry.force_flush().unwrap_err();
            assert!(error.is_held(), "{what}: {error}");
            assert_eq!(report(&telemetry), [0, 0, 0], "{what}");
            let (_, error) = telemetry.statistics().last_error.unwrap();
            assert!(
                error.starts_with("no token of Entra ID: "),
                "{what}: {error}"
            );
        } else {
            telemetry.force_flush().unwrap();
        }
        telemetry.shutdown(Duration::from_secs(5)).unwrap();
        assert_eq!(report(&telemetry), [1, 0, 0], "{what}");
        let received = endpoint.received();
        let last = received.last().unwrap();
        assert_eq!(last.headers["authorization"], "Bearer good", "{what}");
        assert_eq!(questions.load(Ordering::Relaxed), 2, "{what}");
    }
}

#[test]
fn without_a_token_nothing_is_sent_and_nothing_is_lost() {
    let endpoint = Endpoint::start(vec![Script::Accept; 10]);
    let directory = Directory::new("token");
    let telemetry = builder(endpoint.connection_string())
        .storage(Storage::at(directory.path()))
        .token_provider(|_: &str| async { Err("refused".into()) })
        .build()
        .unwrap();
    span(&telemetry, "kept");
    telemetry.force_flush().unwrap();
    let report = telemetry.shutdown(Duration::from_secs(5)).unwrap();
    assert_eq!((report.traces.sent, report.traces.stored), (0, 1));
    assert!(endpoint.received().is_empty());
}
