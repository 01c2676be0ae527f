//! The Wyoming protocol, which Home Assistant speaks with its speech services.

mod audio;
mod connection;
mod info;
mod message;

use std::{sync::Arc, time::Duration};

use tokio::{net::TcpListener, select, sync::Semaphore, time::sleep};

use self::connection::Connection;
use super::http::App;

/// Each may hold some megabytes of messages.
const MOST_CONNECTIONS: usize = 256;

/// After a failure to accept, such as too many open files.
const REST: Duration = Duration::from_millis(200);

/// Serves each client in a task of its own, until the server stops.
pub async fn serve(listener: TcpListener, app: App) {
    let mut stopping = app.stopping.subscribe();
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let accepted = select! {
            accepted = listener.accept() => accepted,
            _ = stopping.changed() => return,
        };
        match accepted {
            Ok((socket, address)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    let connection = Connection::new(socket, app.clone());
                    let serving = connection.run(app.stopping.subscribe());
                    tokio::spawn(async move {
                        let _place = place;
                        serving.await;
                    });
                }
                Err(_) => {
                    log::warn!("{address}: refused; {MOST_CONNECTIONS} clients are connected")
                }
            },
            Err(error) => {
                log::warn!("no Wyoming client accepted: {error}");
                sleep(REST).await;
            }
        }
    }
}
