//! Servers that fall silent, in paused time.

use std::time::Duration;

use crate::live::Hub;
use crate::live::point::Point;

fn point(stream: &str) -> Point {
    Point {
        stream: stream.to_owned(),
        ..Point::default()
    }
}

/// The streams of the servers, and whether they are shown as stale.
fn servers(hub: &Hub) -> Vec<bool> {
    let now = hub.now();
    hub.look(|live| {
        let servers = live.servers.iter();
        servers.map(|server| server.is_stale(now)).collect()
    })
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_stale_after_10_s_and_gone_after_60_s() {
    let hub = Hub::new();
    let _reader = hub.read();
    assert!(hub.ping("app", &point("silent")));
    for (seconds, expected) in [(9, vec![false]), (1, vec![true]), (49, vec![true])] {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        assert_eq!(servers(&hub), expected, "{seconds} s later");
    }
    assert!(hub.ping("app", &point("other")));
    assert_eq!(servers(&hub), [true, false]);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(servers(&hub), [false]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_speaks_again_stays() {
    let hub = Hub::new();
    let _reader = hub.read();
    for _ in 0..3 {
        assert!(hub.ping("app", &point("slow")));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(servers(&hub), [true]);
    }
}
