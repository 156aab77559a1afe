//! The rules of OpenCensus for Python, with its surprises (`opencensus.trace.utils`, version 0.11).

/// What it excludes when it is given no paths.
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

    /// `disable_tracing_url`: what follows the first slash after the scheme begins with an entry.
    ///
    /// So an entry with a leading slash excludes nothing, `health` also excludes `/healthcare`, the empty
    /// one everything, and the query belongs to the path.
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

    /// `disable_tracing_hostname`: the host as the URL has it, port and case included, is an entry.
    pub(super) fn excludes_hostname(&self, authority: &str) -> bool {
        self.hostnames.iter().any(|entry| entry == authority)
    }
}
