//! The program `azmon`.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

fn portal(listen: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_azmon"))
        .args(["portal", "--no-otlp", "--listen", listen])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Ends the program even when an assertion fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn connection_line(child: &mut Child) -> String {
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = output.lines().map(Result::unwrap);
    lines
        .find(|line| line.contains("APPLICATIONINSIGHTS_CONNECTION_STRING="))
        .unwrap()
}

#[test]
fn it_prints_where_it_really_listens() {
    let mut running = Running(portal("127.0.0.1:0"));
    let line = connection_line(&mut running.0);
    let (_, endpoint) = line.split_once("LiveEndpoint=http://").unwrap();
    assert!(!endpoint.ends_with(":0"));
    std::net::TcpStream::connect(endpoint.trim()).unwrap();
}

#[test]
fn the_environment_may_say_where_to_listen() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_azmon"));
    command
        .args(["portal", "--no-otlp"])
        .env("AZMON_PORTAL_LISTEN", "127.0.0.1:0");
    let mut running = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let line = connection_line(&mut running.0);
    assert!(!line.ends_with(":4320"), "{line}");
}

#[cfg(unix)]
#[test]
fn it_ends_cleanly_on_a_signal() {
    for signal in ["INT", "TERM"] {
        let mut running = Running(portal("127.0.0.1:0"));
        connection_line(&mut running.0);
        let id = running.0.id().to_string();
        let kill = Command::new("kill")
            .args(["-s", signal, &id])
            .status()
            .unwrap();
        assert!(kill.success());
        assert!(running.0.wait().unwrap().success(), "{signal}");
    }
}

#[test]
fn a_port_in_use_is_reported_with_the_remedy() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let mut running = Running(portal(&address));
    assert_eq!(running.0.wait().unwrap().code(), Some(1));
    let mut text = String::new();
    running
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    for part in [
        address.as_str(),
        "Another program has the port",
        "--listen 127.0.0.1:0",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn listening_on_every_address_is_warned_about() {
    let mut running = Running(portal("0.0.0.0:0"));
    assert!(connection_line(&mut running.0).contains("http://127.0.0.1:"));
    let mut line = String::new();
    let mut errors = BufReader::new(running.0.stderr.take().unwrap());
    errors.read_line(&mut line).unwrap();
    assert!(
        line.contains("warning") && line.contains("can be reached from other machines"),
        "{line}"
    );
}
