//! The validation of a configuration, common to all file formats.

use std::collections::HashSet;
use std::net::{IpAddr, ToSocketAddrs};

use azmon::ConnectionString;

use crate::config::{ConfigError, ConfigWarning, DEFAULT_DESTINATION, ForwarderConfig, Sampling};

/// Splits a text such as `127.0.0.1:4317`, `[::1]:4317` or `localhost:4317` into host and port. Port 0 means any
/// free port.
pub(super) fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    (!host.is_empty()).then_some((host, port))
}

/// Whether only this machine can reach an address.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

impl ForwarderConfig {
    /// Checks everything that does not depend on the file format: conflicting addresses, destinations, routes,
    /// numbers.
    ///
    /// # Errors
    ///
    /// If a forwarder could not start with the configuration, or would do nothing.
    pub fn validate(&self, file: &str) -> Result<(), ConfigError> {
        let error = |path: &str, problem: String| Err(ConfigError::new(file, None, path, problem));
        if self.inputs.is_empty() {
            return error(
                "inputs",
                "no input is on, so there is nothing to listen on; switch one on".to_owned(),
            );
        }
        let mut addresses = HashSet::new();
        for input in &self.inputs {
            let key = input.kind.key();
            let Some((host, port)) = split(&input.address) else {
                return error(
                    key,
                    format!(
                        "{:?} is no address; write a host and a port, such as 127.0.0.1:4317",
                        input.address
                    ),
                );
            };
            // A host may have several names, so the resolved addresses are compared.
            let resolved = (host, port).to_socket_addrs().into_iter().flatten();
            for address in resolved {
                if port > 0 && !addresses.insert(address) {
                    return error(
                        key,
                        format!("{address} is that of another input; give each input its own"),
                    );
                }
            }
        }
        self.validate_destinations(file)?;
        match self.sampling {
            Sampling::Fixed(percent) if !(percent > 0.0 && percent <= 100.0) => error(
                "sampling",
                format!("{percent} is no percentage above 0 and at most 100"),
            ),
            Sampling::RateLimited(rate) if !(rate > 0.0 && rate.is_finite()) => {
                error("sampling", format!("{rate} is no number of items above 0"))
            }
            Sampling::Adaptive(budgets)
                if !(budgets.max_events_per_second >= 1.0
                    && budgets.max_other_items_per_second >= 1.0) =>
            {
                error("sampling", "the limits must be at least 1".to_owned())
            }
            Sampling::All
            | Sampling::Fixed(_)
            | Sampling::RateLimited(_)
            | Sampling::Adaptive(_) => Ok(()),
        }
    }

    fn validate_destinations(&self, file: &str) -> Result<(), ConfigError> {
        let error =
            |path: String, problem: String| Err(ConfigError::new(file, None, path, problem));
        let mut names = HashSet::new();
        for destination in &self.destinations {
            let path = format!("destinations.{}", destination.name);
            if !names.insert(destination.name.as_str()) {
                return error(path, "another destination has this name".to_owned());
            }
            if let Err(problem) = destination.connection_string.parse::<ConnectionString>() {
                return error(path, format!("the connection string is invalid: {problem}"));
            }
        }
        if !names.contains(DEFAULT_DESTINATION) {
            return error(
                "destinations".to_owned(),
                "there is no connection string: set APPLICATIONINSIGHTS_CONNECTION_STRING, or write one \
                 under [destinations.default]"
                    .to_owned(),
            );
        }
        for (number, route) in self.routes.iter().enumerate() {
            let path = format!("routes[{number}]");
            if route.to.is_empty() {
                return error(path, "it has no destination; name one in `to`".to_owned());
            }
            if let Some(unknown) = route.to.iter().find(|name| !names.contains(name.as_str())) {
                return error(path, format!("there is no destination {unknown:?}"));
            }
        }
        for pattern in &self.redaction.patterns {
            if let Err(problem) = regex_lite::Regex::new(pattern) {
                return error(
                    "redact.patterns".to_owned(),
                    format!("{pattern:?}: {problem}"),
                );
            }
        }
        Ok(())
    }

    /// Adds warnings about addresses that other machines can reach.
    pub(super) fn warn_of_open_addresses(&mut self, file: &str) {
        for input in &self.inputs {
            let is_open = split(&input.address).is_some_and(|(host, _)| !is_loopback(host));
            if is_open {
                let problem = format!(
                    "{} is reached by other machines, without encryption and without asking who sends",
                    input.address
                );
                let warning = ConfigError::new(file, None, input.kind.key(), problem);
                self.warnings.push(ConfigWarning(warning));
            }
        }
    }
}
