//! Azurite, the emulator of Azure Storage: a server for one test, and its log.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, thread};

use azure_core::credentials::Secret;
use azure_core::hmac::hmac_sha256;
use azure_core::http::Url;
use serde_json::Value;

/// The well-known account of Azurite. Its key is not a secret.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Node.js takes seconds to start, and much longer on a busy machine.
const START: Duration = Duration::from_secs(240);

/// Ends the server when the test ends, even by a signal: the standard input is closed then.
const KEEPER: &str = r#""$@" & read -r _; kill $!; wait"#;

/// Each server of a process has its own folder, which it removes at its end.
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// An empty server. It ends on drop.
#[derive(Debug)]
pub(crate) struct Azurite {
    keeper: Child,
    folder: PathBuf,
    url: Url,
}

impl Azurite {
    /// Starts the server that `cargo xtask test` has installed, and waits until it listens.
    pub(crate) fn start() -> Self {
        let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let program = temporary
            .parent()
            .unwrap()
            .join("azurite/node_modules/azurite/dist/src/blob/main.js");
        assert!(
            program.is_file(),
            "cannot find {}: run `cargo xtask test`, which installs Azurite with npm",
            program.display()
        );
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = temporary.join(format!("azurite-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "azurite", "node"])
            .arg(program)
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            .args(["--disableTelemetry", "--skipApiVersionCheck"])
            .arg("--location")
            .arg(&folder)
            .arg("--debug")
            .arg(folder.join("debug.log"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(keeper.stdout.take().unwrap());
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some((_, url)) = line.split_once("listens on ") {
                    let _ = sender.send(url.trim().to_owned());
                }
            }
        });
        let url = receiver.recv_timeout(START).unwrap();
        Self {
            keeper,
            folder,
            url: Url::parse(&url).unwrap(),
        }
    }

    /// The URL of the account, with a signature for all operations.
    pub(crate) fn account(&self) -> Url {
        let mut url = self.url.clone();
        url.set_path(ACCOUNT);
        let (permissions, services, types) = ("rwdlac", "b", "sco");
        let (expiry, protocol, version) = ("2099-01-01T00:00:00Z", "https,http", "2021-12-02");
        let fields = [
            ACCOUNT,
            permissions,
            services,
            types,
            "",
            expiry,
            "",
            protocol,
            version,
            "",
            "",
        ];
        let signature = hmac_sha256(&fields.join("\n"), &Secret::new(KEY)).unwrap();
        url.query_pairs_mut()
            .append_pair("sv", version)
            .append_pair("ss", services)
            .append_pair("srt", types)
            .append_pair("sp", permissions)
            .append_pair("se", expiry)
            .append_pair("spr", protocol)
            .append_pair("sig", &signature);
        url
    }

    /// The `traceparent` of every request in the log.
    pub(crate) fn traceparents(&self) -> BTreeSet<String> {
        let log = fs::read_to_string(self.folder.join("debug.log")).unwrap();
        log.lines().filter_map(traceparent).collect()
    }
}

/// The log line contains the headers as JSON, followed by other text.
fn traceparent(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("RequestHeaders:")?;
    let headers = serde_json::Deserializer::from_str(rest)
        .into_iter::<Value>()
        .next()?
        .ok()?;
    Some(headers.get("traceparent")?.as_str()?.to_owned())
}

impl Drop for Azurite {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
