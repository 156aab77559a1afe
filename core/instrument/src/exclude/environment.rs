use super::exclusions::{Exclusions, Subject};

/// Paths of incoming requests that leave no telemetry: entries as [the table](super) has them, separated by
/// commas.
///
/// Defaults to none.
pub const EXCLUDED_PATHS: &str = "AZMON_EXCLUDED_PATHS";

/// Hosts of requests, incoming and outgoing, that leave no telemetry: entries as [the table](super) has them,
/// separated by commas.
///
/// Defaults to none.
pub const EXCLUDED_HOSTS: &str = "AZMON_EXCLUDED_HOSTS";

/// Hosts of outgoing requests that leave no telemetry, besides those of [`EXCLUDED_HOSTS`]: entries as
/// [the table](super) has them, separated by commas.
///
/// Defaults to none.
pub const EXCLUDED_CLIENT_HOSTS: &str = "AZMON_EXCLUDED_CLIENT_HOSTS";

impl Exclusions {
    /// What the environment excludes: [`EXCLUDED_PATHS`] and [`EXCLUDED_HOSTS`].
    ///
    /// An entry without a meaning is left out, with a warning that names it.
    #[must_use]
    pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let variables = [
            (EXCLUDED_PATHS, Subject::Path),
            (EXCLUDED_HOSTS, Subject::Host),
        ];
        Self::from_variables(&variables, lookup)
    }

    /// What the environment excludes of outgoing requests: [`EXCLUDED_HOSTS`] and [`EXCLUDED_CLIENT_HOSTS`].
    ///
    /// An entry without a meaning is left out, with a warning that names it.
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

    /// The entries of a list: separated by commas, without the white space around them and the empty ones.
    ///
    /// An entry of such a list has no comma.
    pub fn parse_list(list: &str) -> impl Iterator<Item = &str> {
        list.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
    }
}
