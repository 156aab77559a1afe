use std::ffi::OsString;
use std::path::PathBuf;
use std::{env, fs};

use crate::Error;

/// A database product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// MariaDB, for the MySQL driver.
    MariaDb,
    /// PostgreSQL.
    Postgres,
}

impl Kind {
    /// The environment variable with the URL of an existing server, which replaces the private one.
    ///
    /// The user of that URL must be allowed to create databases.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::MariaDb => "AZMON_TEST_MYSQL_URL",
            Self::Postgres => "AZMON_TEST_POSTGRES_URL",
        }
    }

    pub(crate) fn url(self, port: u16) -> String {
        match self {
            Self::MariaDb => format!("mysql://azmon@127.0.0.1:{port}/azmon"),
            Self::Postgres => format!("postgres://azmon@127.0.0.1:{port}/postgres"),
        }
    }

    /// The user that Debian's package creates for the server.
    pub(crate) fn user(self) -> &'static str {
        match self {
            Self::MariaDb => "mysql",
            Self::Postgres => "postgres",
        }
    }

    /// Shell functions for a server with its data in `$folder`, on `$port`.
    pub(crate) fn functions(self) -> &'static str {
        match self {
            Self::MariaDb => include_str!("mariadb.sh"),
            Self::Postgres => include_str!("postgres.sh"),
        }
    }

    /// The search path of programs: `PATH`, and the folders of the packages.
    ///
    /// # Errors
    /// If a program is in none of the folders.
    pub(crate) fn path(self) -> Result<OsString, Error> {
        let programs: &[&str] = match self {
            Self::MariaDb => &["mariadb-admin", "mariadb-install-db", "mariadbd"],
            Self::Postgres => &["initdb", "pg_isready", "postgres"],
        };
        let folders = folders();
        let is_missing =
            |program: &&&str| !folders.iter().any(|folder| folder.join(program).exists());
        if let Some(missing) = programs.iter().find(is_missing) {
            return Err(Error::new(format!(
                "cannot find {missing}: run `cargo xtask test`, or `apt-get install mariadb-server postgresql`, or set {} \
                 to the URL of a server",
                self.variable()
            )));
        }
        env::join_paths(folders).map_err(|error| Error::new(error.to_string()))
    }
}

fn folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut postgres: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    postgres.sort_unstable();
    let newest_first = postgres.into_iter().rev();
    let system = ["/usr/sbin", "/usr/bin"].map(PathBuf::from);
    newest_first
        .chain(env::split_paths(&path))
        .chain(system)
        .collect()
}
