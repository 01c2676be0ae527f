//! `mynah serve`: recognition for other programs, over WebSocket, HTTP and Wyoming.

mod access;
mod args;
mod door;
mod engine;
mod http;
mod limits;
mod openai;
mod page;
mod vosk;
mod wyoming;

use std::{io, net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use mynah::{Chunk, Finals, Recognizer};
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::Builder,
    sync::watch,
    time::timeout,
};

pub use self::args::ServeArgs;
use self::{
    access::Access,
    door::{Door, Visit},
    engine::Engine,
    http::App,
    limits::Limits,
};
use crate::{failure, recognizer_args::Defaults};

/// They pass messages on; what is computed is on the engine's threads.
const IO_THREADS: usize = 2;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// Beyond the time for finals, for connections that do not end.
const LAST_SENDS: Duration = Duration::from_secs(1);

/// Serves until SIGINT or SIGTERM, then gives each stream its finals.
///
/// # Errors
///
/// The model can't be loaded, or an address can't be listened at.
pub fn run(args: &ServeArgs) -> Result<ExitCode> {
    let access = Access::new(args.token_file.as_deref(), &args.allow_origin)?;
    let limits = Limits::from(&args.limits);
    let engine = engine(args, limits)?;
    let runtime = Builder::new_multi_thread().worker_threads(IO_THREADS).enable_all().build();
    let runtime = runtime.context("no threads to serve with")?;
    let outcome = runtime.block_on(serve(args, engine, access));
    // Connections that did not end in time are left.
    runtime.shutdown_background();
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Loads the model once for live streams, and once for files, which share most of its memory.
fn engine(args: &ServeArgs, limits: Limits) -> Result<Engine> {
    let defaults = Defaults { gated: true, chunk: args.preset.chunk(), ..Defaults::default() };
    let finals = if args.recognizer.single_pass { Finals::FirstPass } else { args.preset.finals() };
    let (model, config) = args.recognizer.load_with(defaults, finals)?;
    let live = Recognizer::with_config(model, config.clone())?;
    let files = Defaults { chunk: Chunk::Offline, ..Defaults::default() };
    let files = args.recognizer.recognizer(files)?;
    let has_grammar = args.recognizer.decoding.grammar.is_some();
    let formatter = args.formatting.formatter(&live, has_grammar);
    Engine::new((live, config), files, formatter, limits).context("no threads to recognize with")
}

async fn serve(args: &ServeArgs, engine: Engine, access: Access) -> Result<()> {
    let signal = stop_signal()?;
    let (listener, address) = bind(args.listen).await?;
    let wyoming = match args.wyoming {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    warn_of_exposure(&access, address, wyoming.as_ref().map(|(_, address)| *address));
    eprintln!("listening: http://{address}");
    let app = App {
        engine: Arc::new(engine),
        access: Arc::new(access),
        stopping: Arc::new(watch::Sender::new(false)),
        formatted: args.formatted,
    };
    if let Some((listener, address)) = wyoming {
        eprintln!("listening: tcp://{address} (wyoming)");
        tokio::spawn(wyoming::serve(listener, app.clone()));
    }
    let (stopping, time) = (Arc::clone(&app.stopping), app.engine.limits.shutdown);
    let stopped = Arc::clone(&stopping);
    let door = Door::new(listener, &app.engine.limits);
    let service = http::router(app).into_make_service_with_connect_info::<Visit>();
    let server = axum::serve(door, service).with_graceful_shutdown(async move {
        signal.await;
        log::info!("stopping");
        stopped.send_replace(true);
    });
    let server = tokio::spawn(server.into_future());
    let mut began_to_stop = stopping.subscribe();
    // The sender is here, so that waiting for it can't fail.
    let _ = began_to_stop.wait_for(|is_stopping| *is_stopping).await;
    drop(began_to_stop);
    if timeout(time, stopping.closed()).await.is_err() {
        log::warn!("streams did not end within {} s", time.as_secs_f64());
    }
    let _ = timeout(LAST_SENDS, server).await;
    Ok(())
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener = listen(address).with_context(|| format!("{address}"))?;
    let address = listener.local_addr().with_context(|| format!("{address}"))?;
    Ok((listener, address))
}

/// Listens with keepalive, which accepted connections inherit: a client that vanished without a word ends.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_keepalive(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn warn_of_exposure(access: &Access, http: SocketAddr, wyoming: Option<SocketAddr>) {
    if !http.ip().is_loopback() && !access.has_token() {
        failure::warn(&format!(
            "{http} can be reached from other machines, and without a token by everyone; give --token-file"
        ));
    }
    if let Some(address) = wyoming.filter(|address| !address.ip().is_loopback()) {
        failure::warn(&format!(
            "{address} can be reached from other machines, and the Wyoming protocol has no tokens"
        ));
    }
}

/// Waits for SIGINT or SIGTERM.
///
/// # Errors
///
/// The signals can't be handled.
fn stop_signal() -> Result<impl Future<Output = ()>> {
    const FAILED: &str = "signals can't be handled";
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).context(FAILED)?;
        let mut terminate = signal(SignalKind::terminate()).context(FAILED)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            log::error!("{FAILED}");
            std::future::pending::<()>().await;
        }
    })
}
