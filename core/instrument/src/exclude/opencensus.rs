//! The rules of OpenCensus for Python, including its surprises (`opencensus.trace.utils`, version 0.11).

/// The excluded path if none are given.
const DEFAULT_PATH: &str = "_ah/health";

#[derive(Debug, Clone, Default)]
pub(super) struct OpenCensusLists {
    pub(super) paths: Vec<String>,
    pub(super) hostnames: Vec<String>,
}

impl OpenCensusLists {
    pub(super) fn default_paths() -> Vec<String> {
        vec![DEFAULT_PATH.to_owned()]
    }

    /// `disable_tracing_url`: the text after the first slash that follows the scheme begins with an entry.
    ///
    /// Therefore an entry with a leading slash excludes nothing, `health` also excludes `/healthcare`, an empty entry
    /// excludes everything, and the query is part of the path.
    pub(super) fn excludes_url(&self, url: &str) -> bool {
        let without_scheme = ["http://", "https://", "ftp://"]
            .iter()
            .find_map(|scheme| url.strip_prefix(scheme))
            .unwrap_or(url);
        without_scheme.split_once('/').is_some_and(|(_, path)| {
            self.paths
                .iter()
                .any(|entry| path.starts_with(entry.as_str()))
        })
    }

    /// `disable_tracing_hostname`: an entry equals the host as in the URL, including port and case.
    pub(super) fn excludes_hostname(&self, authority: &str) -> bool {
        self.hostnames.iter().any(|entry| entry == authority)
    }
}
