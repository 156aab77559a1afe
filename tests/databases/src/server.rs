use std::env;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::OnceLock;

use crate::keeper::Keeper;
use crate::{Error, Kind};

/// A private server with its own data. Dropping it ends the server and removes the data.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    port: u16,
    keeper: Keeper,
}

impl Server {
    /// Creates the data, starts the server, and waits until it responds, which takes a few seconds.
    ///
    /// # Errors
    /// If the programs are not installed, or fail. The error contains the end of their log.
    pub fn start(kind: Kind) -> Result<Self, Error> {
        let port = free_port()?;
        let mut keeper = Keeper::new(kind, port)?;
        keeper.command("initialise")?;
        keeper.command("start")?;
        Ok(Self { kind, port, keeper })
    }

    /// The URL of a database whose user has all privileges.
    #[must_use]
    pub fn url(&self) -> String {
        self.kind.url(self.port)
    }

    /// Kills the server without notifying its clients.
    ///
    /// # Errors
    /// If the keeper has ended.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.keeper.command("kill")
    }

    /// Restarts the server after [`Server::kill`], with the same data and URL, and waits until it responds.
    ///
    /// # Errors
    /// If the server does not respond.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.keeper.command("start")
    }
}

/// The URL of a server: from the environment variable [`Kind::variable`], or of a private server, which is
/// started once for this process and ends with it.
///
/// Those of [`Server::start`].
pub fn url(kind: Kind) -> Result<String, &'static Error> {
    static MARIADB: OnceLock<Result<Server, Error>> = OnceLock::new();
    static POSTGRES: OnceLock<Result<Server, Error>> = OnceLock::new();
    if let Ok(url) = env::var(kind.variable()) {
        return Ok(url);
    }
    let server = match kind {
        Kind::MariaDb => &MARIADB,
        Kind::Postgres => &POSTGRES,
    };
    server
        .get_or_init(|| Server::start(kind))
        .as_ref()
        .map(Server::url)
}

/// Another program may take the port before the server does; the start then fails with an error.
fn free_port() -> Result<u16, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(Error::io("cannot find a free port"))
}
