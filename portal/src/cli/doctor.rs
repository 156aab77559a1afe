//! `azmon doctor`: problems of a portal's telemetry, or the reason why no telemetry arrives.

use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::cli::arguments::DoctorArguments;
use crate::cli::client::PortalClient;
use crate::cli::connection::Connection;
use crate::cli::output::{harmless, say};

const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn run(arguments: DoctorArguments) -> Result<(), String> {
    match &arguments.connection_string {
        Some(text) => connect(text).await,
        None => findings(arguments).await,
    }
}

/// Prints the findings of the portal.
async fn findings(arguments: DoctorArguments) -> Result<(), String> {
    let portal = PortalClient::new(arguments.address)?;
    let doctor = portal.json("/api/doctor", &[]).await?;
    if arguments.json {
        say(&doctor.to_string());
        return Ok(());
    }
    let number = |key: &str| doctor.get(key).and_then(Value::as_u64).unwrap_or(0);
    say(&format!(
        "{} accepted, {} refused, {} cut, {} answered 429",
        number("accepted"),
        number("refused"),
        number("cut"),
        number("throttled")
    ));
    let list = |key: &str| {
        doctor
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let text = |value: &Value, key: &str| {
        harmless(value.get(key).and_then(Value::as_str).unwrap_or_default())
    };
    let findings = list("findings");
    for finding in &findings {
        let mark = if text(finding, "level") == "bad" {
            "✕"
        } else {
            "!"
        };
        say(&format!(
            "\n{mark} {}  [{}]",
            text(finding, "title"),
            text(finding, "kind")
        ));
        for (label, key) in [("", "detail"), ("", "why"), ("in Azure: ", "azure")] {
            let value = text(finding, key);
            if !value.is_empty() {
                say(&format!("  {label}{value}"));
            }
        }
    }
    say("");
    for check in list("passed") {
        say(&format!(
            "✓ {}: {}",
            text(&check, "title"),
            text(&check, "detail")
        ));
    }
    if number("accepted") == 0 {
        say(&format!(
            "\nNothing has arrived at {}. To learn why, ask with the connection string that the application has:\n  \
             azmon doctor --connection-string \"$APPLICATIONINSIGHTS_CONNECTION_STRING\"\n{QUESTIONS}",
            portal.url()
        ));
    }
    Ok(())
}

/// Other reasons for missing telemetry, in the order in which to check them.
const QUESTIONS: &str = "
Then ask:
  - Does the process have the variable? A variable that was set after its start, or in another shell, is not there.
  - Is the exporter built and installed before the first request, and not dropped? Telemetry of azmon ends with its value.
  - Does a sampler drop it? A ratio of 0, or 5 traces a second (the default of the Python distribution), keeps little;
    OpenCensus' default keeps one trace in 10,000.
  - Is the path or host excluded? exclude_paths and exclude_hosts (OpenCensus: EXCLUDELIST_PATHS, blacklist) drop requests.
  - Is the middleware installed? A request is sent by ServerLayer, FlaskMiddleware or OpencensusMiddleware, not by the exporter.
  - Does the process end before it sends? Call shutdown or force_flush; batches wait some seconds.
  - Does a log level filter drop it? Warnings of azmon itself have the target `azmon`.";

/// Resolves the host, connects, sends one item, and explains the response.
async fn connect(text: &str) -> Result<(), String> {
    let connection = Connection::parse(text)
        .map_err(|reason| format!("the connection string is wrong: {reason}"))?;
    say(&format!(
        "✓ The connection string is complete: key …{}, endpoint {}",
        last_four(&connection.key),
        connection.endpoint
    ));
    for remark in &connection.remarks {
        say(&format!("! {}", harmless(remark)));
    }
    let (host, port) = connection.authority();
    let name = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let addresses: Vec<_> = tokio::net::lookup_host((name.as_str(), port))
        .await
        .map_err(|error| {
            format!("{host} has no address: {error}\nIs the name spelt right? Does this machine need a proxy (HTTPS_PROXY), or a private DNS zone?")
        })?
        .collect();
    let first = addresses
        .first()
        .ok_or_else(|| format!("{host} has no address"))?;
    say(&format!("✓ {host} is {}", first.ip()));
    let started = Instant::now();
    match tokio::time::timeout(
        TIMEOUT,
        tokio::net::TcpStream::connect(addresses.as_slice()),
    )
    .await
    {
        Ok(Ok(_)) => say(&format!(
            "✓ Port {port} is open ({:.0} ms)",
            started.elapsed().as_secs_f64() * 1_000.0
        )),
        Ok(Err(error)) => {
            let is_local = addresses.iter().all(|address| address.ip().is_loopback());
            let advice = if is_local {
                "Is the portal running? Start it with: azmon portal"
            } else {
                "A firewall or a missing private endpoint may be in the way."
            };
            return Err(format!("port {port} of {host} refuses: {error}\n{advice}"));
        }
        Err(_) => {
            return Err(format!(
                "port {port} of {host} does not answer within {} s; a firewall may drop what is sent",
                TIMEOUT.as_secs()
            ));
        }
    }
    send(&connection).await
}

fn last_four(key: &str) -> String {
    let characters: Vec<char> = key.chars().collect();
    characters
        .iter()
        .skip(characters.len().saturating_sub(4))
        .collect()
}

async fn send(connection: &Connection) -> Result<(), String> {
    let client = Client::builder()
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| format!("cannot make a client: {error}"))?;
    let now = jiff::Timestamp::now();
    let item = json!([{
        "name": "Microsoft.ApplicationInsights.Message", "time": format!("{now:.6}"), "iKey": connection.key,
        "tags": {"ai.cloud.role": "azmon doctor", "ai.internal.sdkVersion": concat!("azmon-doctor:", env!("CARGO_PKG_VERSION"))},
        "data": {"baseType": "MessageData", "baseData": {
            "ver": 2, "message": "azmon doctor: telemetry arrives", "severityLevel": 1}}
    }]);
    let url = format!("{}/v2.1/track", connection.endpoint);
    let started = Instant::now();
    let request = client
        .post(&url)
        .header("content-type", "application/json")
        .body(item.to_string());
    let response = request.send().await.map_err(|error| {
        let mut reasons = vec![error.to_string()];
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            reasons.push(cause.to_string());
            source = cause.source();
        }
        let reason = reasons.join(": ");
        let is_certificate = reason.contains("certificate") || reason.contains("Certificate");
        let advice = if is_certificate {
            "\nThe certificate is not trusted. Of a portal, trust the file that it printed (Node.js: NODE_EXTRA_CA_CERTS); of Azure, a proxy may break TLS."
        } else {
            ""
        };
        format!("the item was not sent: {reason}{advice}")
    })?;
    let status = response.status();
    let server_time = response
        .headers()
        .get("date")
        .and_then(|date| date.to_str().ok())
        .map(str::to_owned);
    let body = response.text().await.unwrap_or_default();
    let answer: Value = serde_json::from_str(&body).unwrap_or_default();
    let message = answer
        .pointer("/errors/0/message")
        .and_then(Value::as_str)
        .map_or_else(|| body.chars().take(300).collect(), str::to_owned);
    if status == StatusCode::OK {
        say(&format!(
            "✓ One item was accepted ({:.0} ms): telemetry of this machine arrives there",
            started.elapsed().as_secs_f64() * 1_000.0
        ));
        if let Some(date) = server_time {
            say(&format!("  The server's clock says {}", harmless(&date)));
        }
        say(QUESTIONS);
        return Ok(());
    }
    let status_number = status.as_u16();
    Err(format!(
        "the item was answered {status_number}: {}\n{}",
        harmless(&message),
        explain(status_number)
    ))
}

/// The meaning of a response status of the service.
const fn explain(status: u16) -> &'static str {
    match status {
        206 => "Some items were refused; the message says which field.",
        307 | 308 => "The resource is served elsewhere; SDKs follow, within the same cloud.",
        400 => {
            "The key is not known to this endpoint, or the item is wrong: use the connection string of the resource, whole."
        }
        401 | 403 => {
            "The resource takes only Microsoft Entra tokens (local authentication is off): give the exporter a credential with the role Monitoring Metrics Publisher."
        }
        402 | 439 => {
            "The daily cap of the resource is reached; it takes telemetry again tomorrow, or with a higher cap."
        }
        404 => {
            "The endpoint is that of another region or stamp: use the connection string of the resource, whole."
        }
        408 | 500 | 502 | 503 | 504 => {
            "The service, or a portal's disk, fails for now; SDKs keep telemetry and try again."
        }
        413 => "The body is too large.",
        429 => "Too much telemetry for now; SDKs keep it and try again.",
        _ => "This answer is not one of Application Insights; a proxy may have given it.",
    }
}
