use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Client;
use crate::command::Programs;
use crate::error::Result;
use crate::pages;
use crate::process::{self, Server};
use crate::verdict::{Method, Visit, differences, table};

/// The time limit for telemetry on its way from the services to the portal.
const ARRIVAL: Duration = Duration::from_secs(30);
/// The interval of polling the portal.
const POLL: Duration = Duration::from_millis(100);
/// The text that the portal prints before its connection string.
const PORTAL_IS_READY: &str = "APPLICATIONINSIGHTS_CONNECTION_STRING=";
/// The pause between two visitors.
const BETWEEN_VISITS: Duration = Duration::from_millis(80);
/// The number of visitors, who come in turn.
const VISITORS: usize = 12;
/// After this number of visits each visitor has another session.
const VISITS_OF_SESSION: usize = 600;
/// The default number of requests.
const DEFAULT_REQUESTS: usize = 25;

/// Environment variables that would change the services' telemetry.
const FOREIGN_SETTINGS: [&str; 5] = [
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SDK_DISABLED",
    "OTEL_SERVICE_NAME",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
];

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// End when all requests have arrived, and fail if they do not; uses free ports.
    #[arg(long)]
    once: bool,

    /// Number of requests before the continuous traffic.
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULT_REQUESTS)]
    requests: usize,
}

impl Options {
    /// The options of `demo --once`.
    pub(crate) const fn once() -> Self {
        Self {
            once: true,
            requests: DEFAULT_REQUESTS,
        }
    }
}

/// The running portal and services. They are dropped in this order, the portal last, so that each can send its
/// remaining telemetry.
#[derive(Debug)]
struct Demo {
    client: Client,
    signals: mpsc::Receiver<()>,
    web_url: String,
    portal_url: String,
    web: Server,
    shop: Server,
    stock: Server,
    portal: Server,
}

pub(crate) fn run(options: &Options) -> Result {
    pages::build()?;
    let demo = Demo::start(options.once)?;
    let visits = Visit::plan(options.requests);
    if options.once {
        demo.drive_and_verify(&visits)
    } else {
        demo.drive_and_wait(&visits)
    }
}

impl Demo {
    fn start(is_once: bool) -> Result<Self> {
        let signals = signals()?;
        let programs = Programs::build(&["azmon", "services"])?;
        let portal_address = if is_once {
            "127.0.0.1:0"
        } else {
            "127.0.0.1:4320"
        };
        let mut command = process::command(programs.path("azmon")?)?;
        command.args(["portal", "--listen", portal_address]);
        let (portal, connection_string) = Server::start("the portal", command, PORTAL_IS_READY)?;
        let portal_url = connection_string
            .split(';')
            .find_map(|part| part.strip_prefix("IngestionEndpoint="))
            .ok_or("the portal printed no endpoint")?
            .trim_end_matches('/')
            .to_owned();
        let service = |name: &'static str, upstream: &str| {
            let mut command = process::command(programs.path("services")?)?;
            command.args([name, "--upstream", upstream]);
            connect(&mut command, &connection_string);
            Server::start(name, command, " listens on ")
        };
        let (stock, stock_url) = service("stock", "")?;
        let (shop, shop_url) = service("shop", &stock_url)?;
        let (web, web_url) = service("web", &shop_url)?;
        Ok(Self {
            client: Client::new(),
            signals,
            web_url,
            portal_url,
            web,
            shop,
            stock,
            portal,
        })
    }

    fn drive_and_wait(self, visits: &[Visit]) -> Result {
        for (number, visit) in visits.iter().enumerate() {
            self.visit(number, visit)?;
        }
        println!("\nOpen the portal:               {}/", self.portal_url);
        println!("Visitors keep coming to:       {}/", self.web_url);
        println!("Ctrl-C ends all of it.");
        // Steps through the list in a fixed pseudo-random order.
        let mut next = 0;
        for number in visits.len().. {
            if self.signals.recv_timeout(BETWEEN_VISITS).is_ok() {
                break;
            }
            next = (next + 7) % Visit::DAY.len();
            let rest = next * next % 5;
            if let Some(visit) = Visit::DAY.get((next + rest) % Visit::DAY.len()) {
                self.visit(number, visit)?;
            }
        }
        self.stop()
    }

    /// Waits until everything has arrived, and then for further telemetry at the end of the shop.
    fn drive_and_verify(self, visits: &[Visit]) -> Result {
        for (number, visit) in visits.iter().enumerate() {
            self.visit(number, visit)?;
        }
        self.await_arrival(visits)?;
        self.web.stop()?;
        self.shop.stop()?;
        self.stock.stop()?;
        let arrived = self.client.requests(&self.portal_url)?;
        self.portal.stop()?;
        print!("{}", table(&arrived));
        let differences = differences(visits, &arrived);
        if !differences.is_empty() {
            return Err(format!("not what was expected:\n  {}", differences.join("\n  ")).into());
        }
        let (sent, arrived) = (visits.len(), arrived.len());
        println!("{sent} requests sent; the {arrived} that are not excluded arrived as expected");
        Ok(())
    }

    fn visit(&self, number: usize, visit: &Visit) -> Result {
        let url = format!("{}{}", self.web_url, visit.path);
        let visitor = number % VISITORS;
        let session = number / VISITS_OF_SESSION;
        let cookie = format!("visitor=v-{visitor}; session=s-{visitor}-{session}");
        let status = match visit.method {
            Method::Get => self.client.get(&url, &cookie)?,
            Method::Post(article) => {
                let lines = if article == "silk" { 18 } else { 3 };
                let order = json!({"article": article, "lines": lines});
                self.client.post(&url, &cookie, &order)?
            }
        };
        if status == visit.status {
            Ok(())
        } else {
            Err(format!("{url} was answered with {status}, not {}", visit.status).into())
        }
    }

    fn await_arrival(&self, visits: &[Visit]) -> Result {
        let expected = visits.iter().filter(|visit| visit.must_arrive()).count();
        let deadline = Instant::now() + ARRIVAL;
        while self.client.requests(&self.portal_url)?.len() < expected && Instant::now() < deadline
        {
            if self.signals.recv_timeout(POLL).is_ok() {
                return Err("interrupted".into());
            }
        }
        Ok(())
    }

    fn stop(self) -> Result {
        self.web.stop()?;
        self.shop.stop()?;
        self.stock.stop()?;
        self.portal.stop()
    }
}

/// Ctrl-C, and the termination signals of a supervisor.
fn signals() -> Result<mpsc::Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    ctrlc::set_handler(move || {
        // Sending fails only if the demo is already ending.
        let _ = sender.send(());
    })?;
    Ok(receiver)
}

fn connect(command: &mut Command, connection_string: &str) {
    for name in FOREIGN_SETTINGS {
        command.env_remove(name);
    }
    command.env("APPLICATIONINSIGHTS_CONNECTION_STRING", connection_string);
}
