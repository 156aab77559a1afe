//! Requests to a server over its socket, at a fixed rate.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::fixtures::Durations;
use crate::{Error, Result};

/// The maximum duration of a response.
const PATIENCE: Duration = Duration::from_secs(30);

/// The connections and the rate of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Connections, each of which sends one request after the other.
    pub connections: u32,
    /// Requests per second of all connections together.
    pub rate: u32,
}

/// Connections to a server, which stay open.
#[derive(Debug)]
pub(super) struct Clients {
    clients: Vec<Client>,
    rate: u32,
}

#[derive(Debug)]
struct Client {
    stream: TcpStream,
    ids: Ids,
    sent: Vec<u8>,
    answer: Vec<u8>,
}

/// Generates ids that differ in every digit, like real ids: SplitMix64.
#[derive(Debug, Clone)]
struct Ids(u64);

impl Clients {
    pub(super) fn connect(address: SocketAddr, load: Load) -> Result<Self> {
        let clients = (0..load.connections).map(|number| Client::connect(address, number));
        Ok(Self {
            clients: clients.collect::<Result<_>>()?,
            rate: load.rate,
        })
    }

    /// Sends this number of requests on each connection, at the rate: a request is sent when it is due, or after the
    /// previous response. A duration begins when the request is due, and ends with its response.
    pub(super) fn ask(&mut self, each: u32) -> Result<Durations> {
        let between = Duration::from_secs(1) / self.rate;
        let connections = u32::try_from(self.clients.len()).unwrap_or(u32::MAX);
        self.all(each, |number, request| {
            between * (connections * request + number)
        })
    }

    /// The total number of requests if each connection sends this number.
    pub(super) fn requests(&self, each: u32) -> u32 {
        u32::try_from(self.clients.len())
            .unwrap_or(u32::MAX)
            .saturating_mul(each)
    }

    /// Sends this number of requests on each connection, one after the other.
    pub(super) fn ask_in_turn(&mut self, each: u32) -> Result {
        self.all(each, |_, _| Duration::ZERO).map(drop)
    }

    fn all(&mut self, each: u32, due: impl Fn(u32, u32) -> Duration + Sync) -> Result<Durations> {
        let start = Instant::now();
        let due = &due;
        let results: Vec<Result<Durations>> = thread::scope(|scope| {
            let asking = (0..).zip(&mut self.clients).map(|(number, client)| {
                scope.spawn(move || client.ask(each, |request| start + due(number, request)))
            });
            let asking: Vec<_> = asking.collect();
            let ended = asking.into_iter().map(|thread| match thread.join() {
                Ok(result) => result,
                Err(_) => Err("a client has panicked".into()),
            });
            ended.collect()
        });
        let mut all = Durations::new();
        for durations in results {
            all.add(&durations?);
        }
        Ok(all)
    }
}

impl Client {
    fn connect(address: SocketAddr, number: u32) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            ids: Ids(u64::from(address.port()) << 32 | u64::from(number)),
            sent: Vec::new(),
            answer: Vec::new(),
        })
    }

    fn ask(&mut self, requests: u32, due: impl Fn(u32) -> Instant) -> Result<Durations> {
        let mut durations = Durations::new();
        for request in 0..requests {
            let due = due(request);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            self.exchange()?;
            durations.record(due.elapsed());
        }
        Ok(durations)
    }

    /// Sends a request, and reads its answer.
    fn exchange(&mut self) -> Result {
        let (trace, span) = (self.ids.trace(), self.ids.span());
        self.sent.clear();
        write!(
            self.sent,
            "GET /users/7 HTTP/1.1\r\nhost: shop.example.com\r\nuser-agent: {AGENT}\r\naccept: */*\r\n\
             traceparent: 00-{trace:032x}-{span:016x}-01\r\n\r\n"
        )?;
        self.stream.write_all(&self.sent)?;
        self.answer.clear();
        while !is_whole(&self.answer)? {
            let mut part = [0; 1_024];
            match self.stream.read(&mut part)? {
                0 => return Err("the server has closed a connection".into()),
                read => self.answer.extend(part.iter().take(read)),
            }
        }
        Ok(())
    }
}

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

/// Whether a response is complete.
fn is_whole(answer: &[u8]) -> Result<bool> {
    let Some(end) = memchr::memmem::find(answer, b"\r\n\r\n") else {
        return Ok(false);
    };
    let (head, body) = answer.split_at(end);
    let head = str::from_utf8(head)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if status != "HTTP/1.1 200 OK" {
        return Err(format!("the server answered {status}").into());
    }
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length
        .ok_or_else(|| Error::from("an answer has no content-length"))?
        .parse()?;
    Ok(body.len() >= b"\r\n\r\n".len() + length)
}

impl Ids {
    fn span(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn trace(&mut self) -> u128 {
        u128::from(self.span()) << 64 | u128::from(self.span())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ndate: now\r\n\r\nhello";
        assert!(is_whole(answer).unwrap());
        for end in 0..answer.len() {
            assert!(!is_whole(&answer[..end]).unwrap(), "{end}");
        }
        assert!(is_whole(b"HTTP/1.1 500 Internal Server Error\r\n\r\n").is_err());
        assert!(is_whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn every_id_is_another() {
        let mut ids = Ids(7);
        let all: HashSet<_> = (0..1_000).map(|_| ids.trace()).collect();
        assert_eq!(all.len(), 1_000);
    }

    #[test]
    fn an_answer_that_is_late_counts_from_when_its_request_was_due() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answers = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1_024];
            for _ in 0..2 {
                assert!(stream.read(&mut request).unwrap() > 0);
                thread::sleep(Duration::from_millis(20));
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    .unwrap();
            }
        });
        let load = Load {
            connections: 1,
            rate: 1_000_000,
        };
        let mut clients = Clients::connect(address, load).unwrap();
        let durations = clients.ask(2).unwrap();
        answers.join().unwrap();
        assert!(durations.quantile(1.0) >= Duration::from_millis(38));
    }
}
