//! One Wyoming client: `audio-start` begins a stream, `audio-stop` ends it with its transcript.

use std::{io, time::Duration};

use serde_json::json;
use tokio::{
    io::BufReader,
    net::{TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    select,
    sync::{
        mpsc::{Receiver, Sender, channel},
        watch,
    },
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

use super::{audio::AudioFormat, info::info, message::Message};
use crate::serve::{
    engine::{Failure, LiveStream, Output, Protocol, StreamConfig},
    http::App,
};

/// Messages that are read ahead.
const MESSAGES_AHEAD: usize = 2;
/// How long the rest of a client that is refused is read.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// One client.
pub struct Connection {
    app: App,
    messages: Receiver<io::Result<Message>>,
    reader: JoinHandle<()>,
    writer: OwnedWriteHalf,
    /// Phrases that `transcribe` wants preferred in the next stream.
    hotwords: Vec<String>,
    stream: Option<Utterances>,
}

/// The stream between `audio-start` and the transcript.
struct Utterances {
    stream: LiveStream,
    format: AudioFormat,
    deadline: Instant,
    /// The transcript so far.
    text: String,
    has_begun: bool,
    /// Whether `audio-stop` has come.
    is_ending: bool,
    /// Pushed and not worked off.
    pending: usize,
}

/// Why a client is served no longer.
enum End {
    /// It has left.
    Gone,
    /// It is told the reason.
    Refused(String, &'static str),
}

impl Connection {
    pub fn new(socket: TcpStream, app: App) -> Self {
        let (reader, writer) = socket.into_split();
        let (sender, messages) = channel(MESSAGES_AHEAD);
        let most = app.engine.limits.message_bytes;
        let reader = tokio::spawn(read(reader, sender, most));
        Self { app, messages, reader, writer, hotwords: Vec::new(), stream: None }
    }

    /// Serves the client to its end; gives the transcript so far when `stopping` changes.
    pub async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        if let Err(End::Refused(reason, code)) = self.serve(&mut stopping).await {
            let message = Message::new("error", json!({ "text": reason, "code": code }));
            if self.send(message).await.is_ok() {
                // Closing the socket on unread data would take the answer away from the client.
                self.stream = None;
                let drained = async { while let Some(Ok(_)) = self.messages.recv().await {} };
                let _ = timeout(CLOSE_TIME, drained).await;
            }
        }
        self.reader.abort();
    }

    async fn serve(&mut self, stopping: &mut watch::Receiver<bool>) -> Result<(), End> {
        let limits = self.app.engine.limits.clone();
        let mut idle = Instant::now() + limits.idle;
        let mut is_stopping = false;
        loop {
            let is_ending = self.stream.as_ref().is_some_and(|stream| stream.is_ending);
            if is_stopping && self.stream.is_none() {
                return Err(End::Refused("the server is stopping".to_owned(), "stopping"));
            }
            let deadline = self.stream.as_ref().map_or(idle, |stream| stream.deadline.min(idle));
            select! {
                output = next_output(&mut self.stream) => self.emit(output.ok_or(End::Gone)?).await?,
                message = self.messages.recv(), if !is_ending && !is_stopping => {
                    idle = Instant::now() + limits.idle;
                    match message {
                        None => return Err(End::Gone),
                        Some(Ok(message)) => self.accept(message).await?,
                        Some(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                            return Err(End::Refused(error.to_string(), "invalid-message"));
                        }
                        Some(Err(_)) => return Err(End::Gone),
                    }
                }
                () = sleep_until(deadline), if !is_ending => {
                    let is_busy = self.stream.as_ref().is_some_and(|stream| stream.pending > 0);
                    if deadline == idle && is_busy {
                        idle = Instant::now() + limits.idle;
                        continue;
                    }
                    let Some(stream) = &mut self.stream else {
                        return Err(End::Refused("no message came in time".to_owned(), "timeout"));
                    };
                    log::debug!("a Wyoming stream is ended by a time limit");
                    stream.end().await;
                }
                _ = stopping.changed(), if !is_stopping => {
                    is_stopping = true;
                    if let Some(stream) = &mut self.stream && !stream.is_ending {
                        stream.end().await;
                    }
                }
            }
        }
    }

    async fn accept(&mut self, message: Message) -> Result<(), End> {
        match message.kind.as_str() {
            "describe" => self.send(Message::new("info", info())).await,
            "ping" => {
                let text = message.data.get("text").cloned().unwrap_or_default();
                self.send(Message::new("pong", json!({ "text": text }))).await
            }
            "transcribe" => {
                self.hotwords = message.texts("transcript_names");
                self.hotwords.extend(message.texts("transcript_terms"));
                self.check_language(&message)
            }
            "audio-start" => self.start(&message),
            "audio-chunk" => self.accept_audio(message).await,
            "audio-stop" => {
                let stream = self.stream.as_mut();
                let nothing = "audio-stop without audio-start".to_owned();
                stream.ok_or(End::Refused(nothing, "unexpected-message"))?.end().await;
                Ok(())
            }
            // As the protocol has it, what is not known is left out.
            _ => Ok(()),
        }
    }

    fn check_language(&self, message: &Message) -> Result<(), End> {
        match message.text("language") {
            Some(language) if !language.to_lowercase().starts_with("en") => {
                let reason = format!("language {language:?}: the model recognizes English alone");
                Err(End::Refused(reason, "unsupported-language"))
            }
            _ => Ok(()),
        }
    }

    fn start(&mut self, message: &Message) -> Result<(), End> {
        if self.stream.is_some() {
            let reason = "audio-start within a stream; send audio-stop first".to_owned();
            return Err(End::Refused(reason, "unexpected-message"));
        }
        let format =
            AudioFormat::of(message).map_err(|reason| End::Refused(reason, "unsupported-audio"))?;
        let admission = self.app.engine.admit(Protocol::wyoming);
        let admission =
            admission.map_err(|refusal| End::Refused(refusal.to_string(), "overloaded"))?;
        let hotwords = std::mem::take(&mut self.hotwords);
        let config = StreamConfig { formatted: true, hotwords, ..StreamConfig::new(format.rate) };
        self.stream = Some(Utterances {
            stream: admission.stream(config),
            format,
            deadline: Instant::now() + self.app.engine.limits.time,
            text: String::new(),
            has_begun: false,
            is_ending: false,
            pending: 0,
        });
        Ok(())
    }

    async fn accept_audio(&mut self, message: Message) -> Result<(), End> {
        if self.stream.is_none() {
            self.start(&message)?;
        }
        let Some(stream) = &mut self.stream else { return Ok(()) };
        stream.pending += 1;
        let mono = stream.format.mixed_down(message.payload);
        stream.stream.push_audio(mono).await;
        Ok(())
    }

    async fn emit(&mut self, output: Output) -> Result<(), End> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        match output {
            // A piece of a transcript can't be taken back.
            Output::Partial { .. } => Ok(()),
            Output::Final { result, .. } => {
                let text = result.shown();
                let space = if stream.text.is_empty() { "" } else { " " };
                let piece = format!("{space}{text}");
                stream.text.push_str(&piece);
                let begins = !std::mem::replace(&mut stream.has_begun, true);
                if begins {
                    self.send(Message::new("transcript-start", json!({ "language": "en" })))
                        .await?;
                }
                self.send(Message::new("transcript-chunk", json!({ "text": piece }))).await
            }
            Output::Answered => {
                stream.pending = stream.pending.saturating_sub(1);
                if stream.pending > 0 || !stream.is_ending { Ok(()) } else { self.finish().await }
            }
            Output::Failed(Failure { reason, .. }) => Err(End::Refused(reason, "stream-failed")),
        }
    }

    /// Sends the transcript, and is ready for another stream.
    async fn finish(&mut self) -> Result<(), End> {
        let Some(Utterances { text, has_begun, .. }) = self.stream.take() else {
            return Ok(());
        };
        if !has_begun {
            self.send(Message::new("transcript-start", json!({ "language": "en" }))).await?;
        }
        let transcript = json!({ "text": text, "language": "en" });
        self.send(Message::new("transcript", transcript)).await?;
        self.send(Message::new("transcript-stop", json!({}))).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.app.engine.limits.idle, message.write(&mut self.writer)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}

impl Utterances {
    /// Ends the stream with what has come.
    async fn end(&mut self) {
        self.is_ending = true;
        self.pending += 1;
        self.stream.flush().await;
    }
}

async fn read(reader: OwnedReadHalf, messages: Sender<io::Result<Message>>, most: usize) {
    let mut reader = BufReader::new(reader);
    while let Some(message) = Message::read(&mut reader, most).await.transpose() {
        let is_last = message.is_err();
        if messages.send(message).await.is_err() || is_last {
            return;
        }
    }
}

/// Never, without a stream.
async fn next_output(stream: &mut Option<Utterances>) -> Option<Output> {
    match stream {
        Some(stream) => stream.stream.next().await,
        None => std::future::pending().await,
    }
}
