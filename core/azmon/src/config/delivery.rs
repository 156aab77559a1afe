//! Settings of storage and network.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use opentelemetry::otel_warn;

use crate::ConnectionString;
use crate::config::environment::{
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING, AZMON_CA_FILE, AZMON_DURABLE, AZMON_LIVE_METRICS,
    AZMON_STORAGE_DIRECTORY, AZMON_STORAGE_DISABLED, FUNCTIONS_WORKER_RUNTIME, WEBSITE_SITE_NAME,
};
use crate::config::parse::flag;
use crate::error::BuildErrorKind;
use crate::storage::{Storage, StorageSettings, directory_name, user_cache};
use crate::token::TokenProvider;
use crate::transmission::{ManagedIdentity, NetworkSettings, TokenSource, Tokens};

/// The network settings that the code set.
#[derive(Default)]
pub(super) struct NetworkChoices {
    pub(super) token_provider: Option<Arc<dyn TokenProvider>>,
    pub(super) http_client: Option<reqwest::Client>,
    pub(super) certificates: Option<PathBuf>,
}

/// Resolves the settings of the network.
pub(super) fn network(
    connection: Option<&ConnectionString>,
    choices: NetworkChoices,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<NetworkSettings, BuildErrorKind> {
    let source = match choices.token_provider {
        Some(provider) => Some(TokenSource::Provider(provider)),
        None => environment(APPLICATIONINSIGHTS_AUTHENTICATION_STRING)
            .map(|text| ManagedIdentity::parse(&text, environment))
            .transpose()
            .map_err(BuildErrorKind::AuthenticationString)?
            .map(TokenSource::ManagedIdentity),
    };
    let audience = connection.and_then(ConnectionString::aad_audience);
    Ok(NetworkSettings {
        client: choices.http_client,
        certificates: choices
            .certificates
            .or_else(|| environment(AZMON_CA_FILE).map(PathBuf::from)),
        tokens: source.map(|source| Arc::new(Tokens::new(source, audience))),
    })
}

/// How live metrics are sent.
#[derive(Debug)]
pub(crate) struct LiveSettings {
    /// True while a reader is subscribed.
    pub(crate) is_watched: Arc<AtomicBool>,
    /// Whether the program runs in App Service or Functions.
    pub(crate) is_web_app: bool,
}

/// Decides whether live metrics are sent.
pub(super) fn live(
    connection: Option<&ConnectionString>,
    choice: Option<bool>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Option<LiveSettings> {
    let is_on = choice.or_else(|| flag(environment, AZMON_LIVE_METRICS));
    let has_endpoint =
        connection.is_some_and(|connection| connection.own_live_endpoint().is_some());
    let is_web_app = [WEBSITE_SITE_NAME, FUNCTIONS_WORKER_RUNTIME]
        .iter()
        .any(|variable| environment(variable).is_some());
    (has_endpoint && is_on.unwrap_or(true)).then(|| LiveSettings {
        is_watched: Arc::default(),
        is_web_app,
    })
}

/// Resolves the settings of the storage.
pub(super) fn storage(
    choice: Option<Storage>,
    durable: Option<bool>,
    connection: Option<&ConnectionString>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> StorageSettings {
    let mut storage = choice.unwrap_or_else(|| of_environment(environment));
    if let Some(durable) = durable.or_else(|| flag(environment, AZMON_DURABLE)) {
        storage.is_durable |= durable;
    }
    let Some(connection) = connection.filter(|_| storage.is_on) else {
        return StorageSettings::new(&storage, None);
    };
    let root = storage
        .directory
        .clone()
        .or_else(|| user_cache(environment));
    if root.is_none() {
        otel_warn!(
            name: "Storage.Off",
            reason = "the environment names no cache directory",
            hint = "set one with `storage(Storage::at(..))`, or switch storage off"
        );
    }
    let program = std::env::current_exe().ok();
    let name = directory_name(
        program.as_deref(),
        &user(environment),
        connection.instrumentation_key(),
    );
    StorageSettings::new(&storage, root.map(|root| root.join(name)))
}

fn of_environment(environment: &dyn Fn(&str) -> Option<String>) -> Storage {
    if flag(environment, AZMON_STORAGE_DISABLED).unwrap_or_default() {
        return Storage::off();
    }
    let directory = environment(AZMON_STORAGE_DIRECTORY);
    directory.map_or_else(Storage::default, Storage::at)
}

#[cfg(unix)]
fn user(_environment: &dyn Fn(&str) -> Option<String>) -> String {
    rustix::process::geteuid().as_raw().to_string()
}

#[cfg(not(unix))]
fn user(environment: &dyn Fn(&str) -> Option<String>) -> String {
    environment("USERNAME").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(choice: Option<Storage>, variables: &[(&str, &str)]) -> StorageSettings {
        let connection = ConnectionString::from_instrumentation_key("key").unwrap();
        storage(choice, None, Some(&connection), &|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn code_beats_the_environment_which_beats_the_cache_directory() {
        let below = |settings: StorageSettings, root: &str| {
            let directory = settings.directory.unwrap();
            assert!(directory.starts_with(root), "{directory:?}");
        };
        let cache = [("HOME", "/home/ada"), ("LOCALAPPDATA", "/home/ada")];
        below(resolved(None, &cache), "/home/ada");
        let variable = (AZMON_STORAGE_DIRECTORY, "/variable");
        below(resolved(None, &[cache[0], variable]), "/variable");
        let code = Some(Storage::at("/code"));
        below(resolved(code, &[cache[0], variable]), "/code");
    }

    #[test]
    fn without_a_place_or_switched_off_there_is_memory_alone() {
        assert_eq!(resolved(None, &[]).directory, None);
        let home = ("HOME", "/home/ada");
        assert_eq!(resolved(Some(Storage::off()), &[home]).directory, None);
        let off = [home, (AZMON_STORAGE_DISABLED, "true")];
        assert_eq!(resolved(None, &off).directory, None);
    }

    #[test]
    fn durable_needs_a_place() {
        let durable = (AZMON_DURABLE, "true");
        assert!(!resolved(None, &[durable]).is_durable);
        let place = (AZMON_STORAGE_DIRECTORY, "/variable");
        assert!(resolved(None, &[durable, place]).is_durable);
        assert!(resolved(Some(Storage::at("/code").durable(true)), &[]).is_durable);
    }
}
