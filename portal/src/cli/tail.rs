use std::io::{IsTerminal, stdout};

use reqwest::Method;
use serde_json::Value;

use crate::cli::arguments::{Colour, TailArguments};
use crate::cli::client::PortalClient;
use crate::cli::output::{complain, harmless, say};

/// The maximum size of an event, in bytes.
const MAX_EVENT: usize = 4 * 1_024 * 1_024;

pub(super) async fn run(arguments: TailArguments) -> Result<(), String> {
    let colours = match arguments.colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => stdout().is_terminal(),
    };
    let show = |item: &Value| {
        if arguments.json {
            say(&item.to_string());
        } else {
            say(&line(item, colours));
        }
    };
    let portal = PortalClient::new(arguments.address)?;
    let query = arguments.filters.query();
    if arguments.lines > 0 {
        let mut first = query.clone();
        first.push(("limit", arguments.lines.to_string()));
        first.push(("order", "arrival".to_owned()));
        let page = portal.json("/api/items", &first).await?;
        let items = page
            .get("items")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        items.iter().rev().for_each(show);
    }
    let mut response = portal
        .send(portal.request(Method::GET, "/api/tail", &query))
        .await?;
    let mut waiting = Vec::new();
    let mut shown = 0;
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| format!("the portal ended: {error}"))?
    {
        waiting.extend_from_slice(&chunk);
        while let Some(end) = waiting.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = waiting.drain(..end + 2).collect();
            match read_event(&String::from_utf8_lossy(&event)) {
                Some(Event::Item(item)) => {
                    show(&item);
                    shown += 1;
                    if arguments.count.is_some_and(|count| shown >= count) {
                        return Ok(());
                    }
                }
                Some(Event::Skipped(count)) => complain(&format!("… {count} more arrived")),
                None => {}
            }
        }
        if waiting.len() > MAX_EVENT {
            return Err("the portal sent an event without end".to_owned());
        }
    }
    Err("the portal ended".to_owned())
}

enum Event {
    Item(Value),
    Skipped(u64),
}

fn read_event(text: &str) -> Option<Event> {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim_start)
    };
    let data: Value = serde_json::from_str(field("data:")?).ok()?;
    match field("event:")? {
        "item" => Some(Event::Item(data)),
        "skipped" => Some(Event::Skipped(data.get("count")?.as_u64()?)),
        _ => None,
    }
}

const RED: &str = "31";
const YELLOW: &str = "33";
const GREEN: &str = "32";
const GREY: &str = "90";
const BOLD: &str = "1";

/// Time, kind, role, name, result and duration on one line.
fn line(item: &Value, colours: bool) -> String {
    let paint = |text: &str, colour: &str| {
        if colours && !text.is_empty() {
            format!("\u{1b}[{colour}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    };
    let text = |key: &str| harmless(item.get(key).and_then(Value::as_str).unwrap_or_default());
    let kind = text("itemType");
    let success = item.get("success").and_then(Value::as_bool);
    let severity = item.get("severity").and_then(Value::as_u64);
    let colour = match (success, severity, kind.as_str()) {
        (Some(false), ..) | (_, _, "exception") | (_, Some(3..), _) => RED,
        (_, Some(2), _) => YELLOW,
        (Some(true), ..) => GREEN,
        _ => GREY,
    };
    let timestamp = text("timestamp");
    let time = timestamp
        .split_once('T')
        .map_or(timestamp.as_str(), |(_, time)| time);
    let time: String = time
        .chars()
        .take_while(|character| *character != 'Z')
        .take(12)
        .collect();
    let mark = match (success, severity) {
        (Some(true), _) => "✓",
        (Some(false), _) => "✕",
        (None, Some(3..)) => "✕",
        (None, Some(2)) => "!",
        _ => "·",
    };
    let duration =
        item.get("durationMs")
            .and_then(Value::as_f64)
            .map_or(String::new(), |duration| {
                if duration < 1_000.0 {
                    format!("{duration:.1} ms")
                } else {
                    format!("{:.2} s", duration / 1_000.0)
                }
            });
    let value = item
        .get("value")
        .and_then(Value::as_f64)
        .map_or(String::new(), |value| format!("= {value}"));
    let mut parts = vec![
        paint(&format!("{time:<12}"), GREY),
        paint(mark, colour),
        paint(&format!("{kind:<11}"), colour),
        paint(&text("roleName"), BOLD),
        text("name"),
    ];
    for extra in [
        text("target"),
        paint(&text("resultCode"), colour),
        duration,
        value,
    ] {
        parts.push(extra);
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item() -> Value {
        json!({
            "itemType": "request", "timestamp": "2026-11-20T12:00:00.25Z", "roleName": "shop",
            "name": "GET /orders/{id}\u{1b}[2J", "resultCode": "502", "success": false, "durationMs": 1250.0
        })
    }

    #[test]
    fn a_line_describes_an_item_and_cannot_clear_the_screen() {
        let text = line(&item(), false);
        assert_eq!(
            text,
            "12:00:00.25  ✕ request     shop GET /orders/{id}\u{fffd}[2J 502 1.25 s"
        );
    }

    #[test]
    fn failed_items_are_red() {
        assert!(line(&item(), true).contains("\u{1b}[31m502\u{1b}[0m"));
    }

    #[test]
    fn events_are_distinguished() {
        assert!(matches!(
            read_event("event: item\nid: 1\ndata: {}\n\n"),
            Some(Event::Item(_))
        ));
        assert!(matches!(
            read_event("event: skipped\ndata: {\"count\":3}\n\n"),
            Some(Event::Skipped(3))
        ));
        assert!(read_event(": keep-alive\n\n").is_none());
    }
}
