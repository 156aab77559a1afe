use super::exclusions::{Exclusions, Subject};

/// Paths of incoming requests that leave no telemetry: a comma-separated list of [entries](super).
///
/// Defaults to none.
pub const EXCLUDED_PATHS: &str = "AZMON_EXCLUDED_PATHS";

/// Hosts of incoming and outgoing requests that leave no telemetry: a comma-separated list of [entries](super).
///
/// Defaults to none.
pub const EXCLUDED_HOSTS: &str = "AZMON_EXCLUDED_HOSTS";

/// Hosts of outgoing requests that leave no telemetry, in addition to [`EXCLUDED_HOSTS`]: a comma-separated list of
/// [entries](super).
///
/// Defaults to none.
pub const EXCLUDED_CLIENT_HOSTS: &str = "AZMON_EXCLUDED_CLIENT_HOSTS";

impl Exclusions {
    /// Reads the exclusions of incoming requests: [`EXCLUDED_PATHS`] and [`EXCLUDED_HOSTS`].
    ///
    /// An invalid entry is skipped, with a warning that names it.
    #[must_use]
    pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let variables = [
            (EXCLUDED_PATHS, Subject::Path),
            (EXCLUDED_HOSTS, Subject::Host),
        ];
        Self::from_variables(&variables, lookup)
    }

    /// Reads the exclusions of outgoing requests: [`EXCLUDED_HOSTS`] and [`EXCLUDED_CLIENT_HOSTS`].
    ///
    /// An invalid entry is skipped, with a warning that names it.
    #[must_use]
    pub fn outgoing_from_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let variables = [
            (EXCLUDED_HOSTS, Subject::Host),
            (EXCLUDED_CLIENT_HOSTS, Subject::Host),
        ];
        Self::from_variables(&variables, lookup)
    }

    fn from_variables(
        variables: &[(&str, Subject)],
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let mut exclusions = Self::new();
        for (variable, subject) in variables {
            let list = lookup(variable).unwrap_or_default();
            exclusions.add_valid(*subject, Self::parse_list(&list));
        }
        exclusions
    }

    /// Splits a list at its commas, trims the entries and skips empty ones. An entry cannot contain a comma.
    pub fn parse_list(list: &str) -> impl Iterator<Item = &str> {
        list.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
    }
}
