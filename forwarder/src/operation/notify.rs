//! Notifications to systemd: `sd_notify(3)`.

use std::io;

/// The environment variable with the path of the socket.
pub(super) const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";

/// Notifies the service manager, if one exists.
#[derive(Debug, Clone, Default)]
pub(super) struct Notifier {
    socket: Option<String>,
}

impl Notifier {
    pub(super) fn new(socket: Option<String>) -> Self {
        Self {
            socket: socket.filter(|socket| !socket.is_empty()),
        }
    }

    /// Sends a state, such as `READY=1`. A failure to notify does not affect the service.
    pub(super) fn notify(&self, state: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = send(socket, state)
        {
            tracing::debug!(%error, "the service manager could not be notified");
        }
    }
}

#[cfg(target_os = "linux")]
fn send(socket: &str, state: &str) -> io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn send(_socket: &str, _state: &str) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    use super::*;

    #[test]
    fn the_manager_is_notified_through_its_socket() {
        let name = format!("azmon-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        Notifier::new(Some(format!("@{name}"))).notify("READY=1");
        let mut bytes = [0; 16];
        let length = manager.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"READY=1");
        Notifier::new(None).notify("READY=1");
        Notifier::new(Some("/nowhere/at/all".to_owned())).notify("READY=1");
    }
}
