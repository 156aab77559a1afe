use std::env;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::OnceLock;

use crate::keeper::Keeper;
use crate::{Error, Kind};

/// A server of its own, with its own data. Dropping it ends it, and removes its data.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    port: u16,
    keeper: Keeper,
}

impl Server {
    /// Makes the data and starts the server, which takes a few seconds, and waits until it answers.
    ///
    /// # Errors
    /// If the programs are not installed, or do not do what they should; with the end of their log.
    pub fn start(kind: Kind) -> Result<Self, Error> {
        let port = free_port()?;
        let mut keeper = Keeper::new(kind, port)?;
        keeper.command("initialise")?;
        keeper.command("start")?;
        Ok(Self { kind, port, keeper })
    }

    /// The URL of a database, whose user may do anything.
    #[must_use]
    pub fn url(&self) -> String {
        self.kind.url(self.port)
    }

    /// Kills the server in the middle of what it does, without a word to its clients.
    ///
    /// # Errors
    /// If the keeper is gone.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.keeper.command("kill")
    }

    /// Starts the server again after [`Server::kill`], with the same data and URL, and waits until it answers.
    ///
    /// # Errors
    /// If it does not.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.keeper.command("start")
    }
}

/// The URL of a server: by [`Kind::variable`] from the environment, or of a private server that is started for
/// this process, once, and ends with it.
///
/// # Errors
/// As [`Server::start`].
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

/// Somebody else may take the port before the server does; then the start fails, and says so.
fn free_port() -> Result<u16, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(Error::io("cannot find a free port"))
}
