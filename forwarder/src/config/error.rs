use std::fmt;

/// An invalid configuration: the place of the error, its cause, and the fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    file: String,
    /// Starts at 1.
    line: Option<usize>,
    /// For example `Inputs/OpenCensusInput/Port`.
    path: String,
    problem: String,
}

impl ConfigError {
    pub(super) fn new(
        file: &str,
        line: Option<usize>,
        path: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            line,
            path: path.into(),
            problem: problem.into(),
        }
    }

    /// The line number, from 1, if known.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, &self.file, self.line, &self.path, &self.problem)
    }
}

/// A valid setting that has no effect or is dangerous.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigWarning(pub(super) ConfigError);

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn write(
    f: &mut fmt::Formatter<'_>,
    file: &str,
    line: Option<usize>,
    path: &str,
    problem: &str,
) -> fmt::Result {
    f.write_str(file)?;
    if let Some(line) = line {
        write!(f, ":{line}")?;
    }
    if !path.is_empty() {
        write!(f, ": {path}")?;
    }
    write!(f, ": {problem}")
}
