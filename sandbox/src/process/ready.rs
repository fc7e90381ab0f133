//! Waiting for programs that were not written to tell us anything.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Looks every few milliseconds until there is something to see, for as long as `limit`.
///
/// The only place in this crate that sleeps and looks again: a program that we did not write tells
/// nobody when it is ready, it can only be asked. `what` completes “waited in vain for …”.
pub fn until_ready<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("waited {limit:?} in vain for {what}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// One `GET` by hand, so that this crate needs no HTTP client.
pub(super) fn answers_with_200(address: SocketAddr, path: &str) -> bool {
    let patience = Duration::from_secs(2);
    let ask = || -> std::io::Result<bool> {
        let mut connection = TcpStream::connect_timeout(&address, patience)?;
        connection.set_read_timeout(Some(patience))?;
        write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut status_line = [0; 12];
        connection.read_exact(&mut status_line)?;
        Ok(status_line.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
