//! Tokens of Entra ID: cached, refreshed ahead of expiry, with one request for all uploads.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::token::{Token, TokenProvider};
use crate::transmission::managed_identity::ManagedIdentity;

/// Timeout of one request.
const DEADLINE: Duration = Duration::from_secs(30);
/// Time before its expiry at which a token is replaced.
const AHEAD: Duration = Duration::from_secs(5 * 60);
/// A token with a shorter life is replaced at half of its life.
const SHORT_LIFE: Duration = Duration::from_secs(10 * 60);
/// Pause of a provider that failed: uploads that fail together ask once.
const PAUSE: Duration = Duration::from_secs(5);

/// The source of tokens.
pub(crate) enum TokenSource {
    Provider(Arc<dyn TokenProvider>),
    ManagedIdentity(ManagedIdentity),
}

/// The current token.
#[derive(Debug)]
pub(crate) struct Tokens {
    source: TokenSource,
    scope: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Current>,
    /// The error and the time of the last request, if it failed.
    failed: Option<(Instant, String)>,
}

#[derive(Debug)]
struct Current {
    token: Token,
    refresh: Instant,
    end: Instant,
}

impl Tokens {
    pub(crate) fn new(source: TokenSource, audience: Option<&str>) -> Self {
        let scope = match audience {
            Some(audience) => format!("{}/.default", audience.trim_end_matches('/')),
            None => "https://monitor.azure.com//.default".to_owned(),
        };
        Self {
            source,
            scope,
            state: Mutex::default(),
        }
    }

    /// Returns a valid token, and requests one if necessary.
    ///
    /// While a token is valid, a failing provider has no effect. Cancel safe: the next caller repeats a cancelled
    /// request.
    pub(crate) async fn get(&self, client: &reqwest::Client) -> Result<String, String> {
        let mut state = self.state.lock().await;
        let now = Instant::now();
        if let Some(current) = state
            .current
            .as_ref()
            .filter(|current| now < current.refresh)
        {
            return Ok(current.token.secret().to_owned());
        }
        let valid = state.current.as_ref().filter(|current| now < current.end);
        let valid = valid.map(|current| current.token.secret().to_owned());
        let recent = state.failed.as_ref().filter(|(at, _)| now < *at + PAUSE);
        if let Some((_, error)) = recent {
            return valid.ok_or_else(|| error.clone());
        }
        match self.ask(client).await {
            Ok(token) => {
                let secret = token.secret().to_owned();
                state.failed = None;
                state.current = Some(Current::new(token, Instant::now(), SystemTime::now()));
                Ok(secret)
            }
            Err(error) => {
                let error = format!("no token of Entra ID: {error}");
                state.failed = Some((Instant::now(), error.clone()));
                valid.ok_or(error)
            }
        }
    }

    /// Forgets a token that the service refused, unless it was replaced meanwhile.
    pub(crate) async fn forget(&self, secret: &str) {
        let mut state = self.state.lock().await;
        let is_current = |current: &Current| current.token.secret() == secret;
        if state.current.as_ref().is_some_and(is_current) {
            state.current = None;
        }
    }

    /// Makes the next call ask a provider again that has failed.
    pub(crate) fn end_pause(&self) {
        // A lock means that a question is in progress.
        if let Ok(mut state) = self.state.try_lock() {
            state.failed = None;
        }
    }

    async fn ask(&self, client: &reqwest::Client) -> Result<Token, String> {
        let question = async {
            match &self.source {
                TokenSource::Provider(provider) => {
                    // The provider may panic in the call, and in its future.
                    let called =
                        std::panic::catch_unwind(AssertUnwindSafe(|| provider.token(&self.scope)));
                    let future = called.map_err(|_| "the provider panicked".to_owned())?;
                    match CatchPanic(future).await {
                        Some(result) => result.map_err(|error| error.to_string()),
                        None => Err("the provider panicked".to_owned()),
                    }
                }
                TokenSource::ManagedIdentity(identity) => identity.token(client, &self.scope).await,
            }
        };
        let answer = timeout(DEADLINE, question).await;
        let token =
            answer.unwrap_or_else(|_| Err(format!("no answer within {} s", DEADLINE.as_secs())))?;
        // Such a token would be kept, and fail with every upload.
        match HeaderValue::from_str(token.secret()) {
            Ok(_) => Ok(token),
            Err(_) => Err("it has characters that no header may have".to_owned()),
        }
    }
}

impl Current {
    fn new(token: Token, now: Instant, time: SystemTime) -> Self {
        let life = token.expires_on().duration_since(time).unwrap_or_default();
        // A change of the clock must not make a token valid forever.
        let life = life.min(Duration::from_secs(24 * 60 * 60));
        let fresh = if life < SHORT_LIFE {
            life / 2
        } else {
            life - AHEAD
        };
        Self {
            token,
            refresh: now + fresh,
            end: now + life,
        }
    }
}

/// A future that returns its panic as an error.
struct CatchPanic<F>(F);

impl<F: Future + Unpin> Future for CatchPanic<F> {
    type Output = Option<F::Output>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        let future = std::pin::Pin::new(&mut self.0);
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| future.poll(context)));
        polled.map_or(std::task::Poll::Ready(None), |poll| poll.map(Some))
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider(_) => f.write_str("Provider"),
            Self::ManagedIdentity(identity) => identity.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::token::TokenError;

    const SECOND: Duration = Duration::from_secs(1);

    fn tokens<R>(
        provider: impl Fn(usize) -> R + Send + Sync + 'static,
    ) -> (Tokens, Arc<AtomicUsize>)
    where
        R: Future<Output = Result<Token, TokenError>> + Send + 'static,
    {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let provider = move |_: &str| provider(count.fetch_add(1, Ordering::Relaxed));
        let source = TokenSource::Provider(Arc::new(provider));
        (Tokens::new(source, None), asked)
    }

    fn living(number: usize, life: Duration) -> Token {
        Token::new(number.to_string(), SystemTime::now() + life)
    }

    async fn get(tokens: &Tokens) -> Result<String, String> {
        tokens.get(&reqwest::Client::new()).await
    }

    #[test]
    fn the_scope_is_the_public_clouds_or_that_of_the_audience() {
        let source = || TokenSource::ManagedIdentity(ManagedIdentity::default());
        let scope = |audience| Tokens::new(source(), audience).scope;
        assert_eq!(scope(None), "https://monitor.azure.com//.default");
        let china = Some("https://monitor.azure.cn/");
        assert_eq!(scope(china), "https://monitor.azure.cn/.default");
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_kept_until_five_minutes_before_its_end() {
        let (tokens, asked) = tokens(|number| async move { Ok(living(number, 3_600 * SECOND)) });
        for _ in 0..10 {
            assert_eq!(get(&tokens).await.unwrap(), "0");
        }
        tokio::time::advance(3_290 * SECOND).await;
        assert_eq!(get(&tokens).await.unwrap(), "0");
        tokio::time::advance(20 * SECOND).await;
        assert_eq!(get(&tokens).await.unwrap(), "1");
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_token_is_replaced_at_half_of_its_life() {
        let (tokens, _) = tokens(|number| async move { Ok(living(number, 60 * SECOND)) });
        assert_eq!(get(&tokens).await.unwrap(), "0");
        tokio::time::advance(29 * SECOND).await;
        assert_eq!(get(&tokens).await.unwrap(), "0");
        tokio::time::advance(2 * SECOND).await;
        assert_eq!(get(&tokens).await.unwrap(), "1");
    }

    #[tokio::test(start_paused = true)]
    async fn many_uploads_ask_once_and_a_refusal_asks_again() {
        let (tokens, asked) = tokens(|number| async move {
            tokio::time::sleep(SECOND).await;
            Ok(living(number, 3_600 * SECOND))
        });
        let client = reqwest::Client::new();
        let (one, other) = tokio::join!(tokens.get(&client), tokens.get(&client));
        assert_eq!(
            (one.unwrap(), other.unwrap()),
            ("0".to_owned(), "0".to_owned())
        );
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        tokens.forget("0").await;
        tokens.forget("0").await;
        assert_eq!(get(&tokens).await.unwrap(), "1");
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_fails_hangs_or_panics_is_an_error_and_is_asked_again() {
        let (tokens, asked) = tokens(|number| async move {
            match number {
                0 => Err("refused".into()),
                1 => std::future::pending().await,
                2 => panic!("meant"),
                number => Ok(living(number, 3_600 * SECOND)),
            }
        });
        for expected in ["refused", "no answer within 30 s", "the provider panicked"] {
            let error = get(&tokens).await.unwrap_err();
            assert!(error.contains(expected), "{error}");
            let before = asked.load(Ordering::Relaxed);
            assert_eq!(get(&tokens).await.unwrap_err(), error);
            assert_eq!(asked.load(Ordering::Relaxed), before);
            tokio::time::advance(6 * SECOND).await;
        }
        assert_eq!(get(&tokens).await.unwrap(), "3");
    }

    #[tokio::test(start_paused = true)]
    async fn while_a_token_is_valid_a_provider_that_fails_costs_nothing() {
        let (tokens, _) = tokens(|number| async move {
            match number {
                0 => Ok(living(number, 3_600 * SECOND)),
                _ => Err("refused".into()),
            }
        });
        assert_eq!(get(&tokens).await.unwrap(), "0");
        tokio::time::advance(3_500 * SECOND).await;
        assert_eq!(get(&tokens).await.unwrap(), "0");
        tokio::time::advance(200 * SECOND).await;
        assert!(get(&tokens).await.is_err());
    }
}
