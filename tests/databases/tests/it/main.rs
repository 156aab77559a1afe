//! The servers start, restart, and remove everything at their end.
#![cfg(test)]

use std::net::TcpStream;

use azmon_test_databases::{Kind, Server};

fn answers(url: &str) -> bool {
    let address = url.split(['@', '/']).nth(3).unwrap();
    TcpStream::connect(address).is_ok()
}

fn comes_and_goes(kind: Kind) {
    let mut server = Server::start(kind).unwrap();
    let url = server.url();
    assert!(answers(&url));
    server.kill().unwrap();
    assert!(!answers(&url));
    server.restart().unwrap();
    assert!(answers(&url));
    drop(server);
    assert!(!answers(&url));
}

#[test]
fn postgres_comes_and_goes() {
    comes_and_goes(Kind::Postgres);
}

#[test]
fn mariadb_comes_and_goes() {
    comes_and_goes(Kind::MariaDb);
}
