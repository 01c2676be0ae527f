//! Recognizes audio from a source of your own: here 16-bit samples from a TCP connection.
//!
//! `cargo run --release --example custom_source`, and in another terminal
//! `ffmpeg -re -i examples/speech.flac -ac 1 -ar 16000 -f s16le tcp://127.0.0.1:7070`

use std::io::{self, Read as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use mynah::audio::{ReadOutcome, Source};
use mynah::{Error, Event, ListenEvent, Listener, Recognizer, Result};

const ADDRESS: &str = "127.0.0.1:7070";

/// The samples that a peer sends, at 16 kHz.
struct Peer {
    connection: TcpStream,
    /// The first half of a sample whose second half has not come yet.
    half: Option<u8>,
}

impl Source for Peer {
    fn sample_rate(&self) -> u32 {
        16_000
    }

    fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        let mut bytes = vec![0; buffer.len() * 2];
        let start = usize::from(self.half.is_some());
        if let Some(half) = self.half {
            bytes[0] = half;
        }
        let received = match self.connection.read(&mut bytes[start..]) {
            Ok(0) => return Ok(ReadOutcome::End),
            Ok(n) => start + n,
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return Ok(ReadOutcome::Samples(0));
            }
            Err(e) => return Err(failed(e)),
        };
        let samples = bytes[..received].chunks_exact(2);
        self.half = samples.remainder().first().copied();
        for (to, from) in buffer.iter_mut().zip(samples) {
            *to = f32::from(i16::from_le_bytes([from[0], from[1]])) / 32_768.0;
        }
        Ok(ReadOutcome::Samples(received / 2))
    }
}

fn failed(source: io::Error) -> Error {
    Error::Io { path: PathBuf::from(ADDRESS), source }
}

fn main() -> Result<()> {
    let recognizer = Recognizer::builtin()?;
    let (connection, _) = TcpListener::bind(ADDRESS).and_then(|l| l.accept()).map_err(failed)?;
    // A read may wait a little, but not until the peer says something.
    connection.set_read_timeout(Some(Duration::from_millis(10))).map_err(failed)?;
    let listener = Listener::spawn(&recognizer, Peer { connection, half: None });
    for event in &listener {
        match event {
            ListenEvent::Recognized { event: Event::Final { hypothesis: said, .. }, .. } => {
                println!("{}", said.text)
            }
            ListenEvent::Failed(error) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
