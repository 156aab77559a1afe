/// The versions in a lock file.
#[derive(Debug, Default)]
pub struct Lock {
    packages: Vec<Package>,
}

#[derive(Debug, Default)]
struct Package {
    name: String,
    version: String,
    /// `name`, or `name version` if several versions exist.
    dependencies: Vec<String>,
}

/// The packages that azmon is compared with.
#[derive(Debug, Default)]
pub struct Peers {
    names: Vec<String>,
    azmon: String,
}

const OPENTELEMETRY: &str = "opentelemetry";

impl Lock {
    /// Parses a `Cargo.lock`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let packages = text.split("[[package]]").skip(1).map(Package::parse);
        Self {
            packages: packages.collect(),
        }
    }

    /// The name and version of a package, with the version of its OpenTelemetry if that differs from azmon's.
    #[must_use]
    pub fn describe(&self, name: &str) -> String {
        let version = self.version(name).unwrap_or("unknown");
        match self.opentelemetry_of(name) {
            Some(other) if self.opentelemetry_of("azmon") != Some(other) => {
                format!("{name} {version} (OpenTelemetry {other})")
            }
            _ => format!("{name} {version}"),
        }
    }

    /// The version of a package.
    #[must_use]
    pub fn version(&self, name: &str) -> Option<&str> {
        Some(&self.package(name)?.version)
    }

    /// The version of OpenTelemetry on which a package depends directly.
    #[must_use]
    pub fn opentelemetry_of(&self, name: &str) -> Option<&str> {
        let mut dependencies = self.package(name)?.dependencies.iter();
        dependencies.find_map(|dependency| match dependency.split_once(' ') {
            Some((OPENTELEMETRY, version)) => Some(version),
            None if dependency == OPENTELEMETRY => self.version(OPENTELEMETRY),
            _ => None,
        })
    }

    /// The newest package of this name, which is the last.
    fn package(&self, name: &str) -> Option<&Package> {
        let mut packages = self.packages.iter().rev();
        packages.find(|package| package.name == name)
    }
}

impl Peers {
    /// Makes the list of packages, with versions from the lock file.
    #[must_use]
    pub fn new(lock: &Lock, names: &[&str]) -> Self {
        let opentelemetry = lock.opentelemetry_of("azmon").unwrap_or("unknown");
        Self {
            names: names.iter().map(|name| lock.describe(name)).collect(),
            azmon: format!("{}, OpenTelemetry {opentelemetry}", lock.describe("azmon")),
        }
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// azmon with its OpenTelemetry, and the peers, each with its version.
    pub(super) fn versions(&self) -> [(&'static str, String); 2] {
        [
            ("azmon", self.azmon.clone()),
            ("peers", self.names.join(", ")),
        ]
    }
}

impl Package {
    fn parse(block: &str) -> Self {
        let mut package = Self::default();
        for line in block.lines() {
            let quoted = || line.split('"').nth(1).unwrap_or_default().to_owned();
            if line.starts_with("name = ") {
                package.name = quoted();
            } else if line.starts_with("version = ") {
                package.version = quoted();
            } else if line.starts_with(" \"") {
                package.dependencies.push(quoted());
            }
        }
        package
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"version = 4

[[package]]
name = "azmon"
version = "0.1.0"
dependencies = [
 "opentelemetry 0.33.1",
 "serde",
]

[[package]]
name = "opentelemetry"
version = "0.32.0"

[[package]]
name = "opentelemetry"
version = "0.33.1"

[[package]]
name = "reqwest-tracing"
version = "0.7.1"
dependencies = [
 "http",
 "opentelemetry 0.32.0",
]

[[package]]
name = "fastrace"
version = "0.7.19"

[[package]]
name = "modern"
version = "1.0.0"
dependencies = [
 "opentelemetry 0.33.1",
]
"#;

    #[test]
    fn a_package_with_another_opentelemetry_says_so() {
        let lock = Lock::parse(LOCK);
        assert_eq!(
            lock.describe("reqwest-tracing"),
            "reqwest-tracing 0.7.1 (OpenTelemetry 0.32.0)"
        );
        assert_eq!(lock.describe("fastrace"), "fastrace 0.7.19");
        assert_eq!(lock.describe("modern"), "modern 1.0.0");
        assert_eq!(lock.describe("absent"), "absent unknown");
    }

    #[test]
    fn of_several_versions_the_newest_is_meant() {
        assert_eq!(Lock::parse(LOCK).version("opentelemetry"), Some("0.33.1"));
    }

    #[test]
    fn a_single_version_is_not_repeated_in_the_file() {
        let lock = LOCK.replace("opentelemetry 0.33.1", "opentelemetry");
        let lock = lock.replace("name = \"opentelemetry\"\nversion = \"0.32.0\"", "");
        assert_eq!(Lock::parse(&lock).opentelemetry_of("azmon"), Some("0.33.1"));
    }
}
