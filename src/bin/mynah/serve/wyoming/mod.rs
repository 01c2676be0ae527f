//! The Wyoming protocol, which Home Assistant speaks with its speech services.

mod connection;
mod info;
mod message;

use std::time::Duration;

use tokio::{net::TcpListener, select, time::sleep};

use self::connection::Connection;
use super::http::App;

/// After a failure to accept, such as too many open files.
const REST: Duration = Duration::from_millis(200);

/// Serves each client in a task of its own, until the server stops.
pub async fn serve(listener: TcpListener, app: App) {
    let mut stopping = app.stopping.subscribe();
    loop {
        let accepted = select! {
            accepted = listener.accept() => accepted,
            _ = stopping.changed() => return,
        };
        match accepted {
            Ok((socket, _)) => {
                let connection = Connection::new(socket, app.clone());
                tokio::spawn(connection.run(app.stopping.subscribe()));
            }
            Err(error) => {
                log::warn!("no Wyoming client accepted: {error}");
                sleep(REST).await;
            }
        }
    }
}
