//! The protocol of Vosk's WebSocket server: binary messages of samples, one JSON answer to each.
//!
//! ```text
//! client: {"config": {…}}, samples,                     samples,           {"eof": 1}
//! server:                  {"partial": "there is"},     {"text": "…", …},  {"text": "…", …}, close
//! ```
//!
//! With `"events": true` in the configuration results come as they are recognized, and messages have no
//! answers.

mod answer;
mod request;

use std::{collections::VecDeque, future::pending, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use serde::Serialize;
use tokio::{
    select,
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use self::{
    answer::{Caption, ErrorAnswer, PartialAnswer, ResultAnswer},
    request::{Request, Settings},
};
use super::{
    engine::{Admission, Failure, FailureKind, LiveStream, Output},
    limits::Limits,
};
use crate::utterance::Utterance;

/// Messages without an answer, until which no more are read.
const MOST_ASKED: usize = 64;
/// How long a client has to answer a close.
const CLOSE_TIME: Duration = Duration::from_secs(1);
/// The longest reason of a close, in bytes.
const REASON_BYTES: usize = 123;

const NORMAL: u16 = 1000;
const GOING_AWAY: u16 = 1001;
const INVALID_DATA: u16 = 1007;
const POLICY: u16 = 1008;
const TOO_LARGE: u16 = 1009;
const DEFECT: u16 = 1011;

/// One client.
pub struct Connection {
    socket: WebSocket,
    stream: LiveStream,
    settings: Settings,
    limits: Limits,
    /// What the stream works on, the oldest first.
    asked: VecDeque<Asked>,
    /// Since the last answer.
    finals: Vec<Utterance>,
    partial: String,
    /// Set when no more is read: how the connection is closed after the last result.
    closing: Option<Closing>,
    sends: Duration,
}

/// What a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// A partial, or the result of an utterance that has ended.
    Audio,
    /// The result of what has come so far.
    Result,
}

#[derive(Clone, Debug)]
struct Closing {
    code: u16,
    reason: String,
}

/// Nobody is left to send to.
struct Gone;

impl Connection {
    /// Begins a stream for a client.
    pub fn new(socket: WebSocket, admission: Admission, limits: Limits, formatted: bool) -> Self {
        let settings = Settings::new(formatted);
        Self {
            socket,
            stream: admission.stream(settings.stream.clone()),
            settings,
            sends: limits.idle,
            limits,
            asked: VecDeque::new(),
            finals: Vec::new(),
            partial: String::new(),
            closing: None,
        }
    }

    /// Serves the client to its end; ends the stream when `stopping` changes.
    pub async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        // A client that has left needs nothing more.
        let _ = self.serve(&mut stopping).await;
    }

    async fn serve(&mut self, stopping: &mut watch::Receiver<bool>) -> Result<(), Gone> {
        let deadline = Instant::now() + self.limits.time;
        let mut idle = Instant::now() + self.limits.idle;
        loop {
            let reads = self.closing.is_none();
            select! {
                output = self.stream.next() => self.emit(output.ok_or(Gone)?).await?,
                message = self.socket.recv(), if reads && self.asked.len() < MOST_ASKED => {
                    idle = Instant::now() + self.limits.idle;
                    self.accept(message.ok_or(Gone)?).await?;
                }
                () = sleep_until(idle.min(deadline)), if reads => {
                    if Instant::now() >= deadline {
                        let reason = format!("{} s are over", self.limits.time.as_secs_f64());
                        self.close_after_result(POLICY, reason).await;
                    } else if self.asked.is_empty() {
                        let seconds = self.limits.idle.as_secs_f64();
                        self.close_after_result(POLICY, format!("no audio for {seconds} s")).await;
                    } else {
                        idle = Instant::now() + self.limits.idle;
                    }
                }
                _ = stopping.changed(), if reads => {
                    self.close_after_result(GOING_AWAY, "the server is stopping".to_owned()).await;
                }
            }
        }
    }

    /// Takes a message of the client.
    async fn accept(&mut self, message: Result<Message, axum::Error>) -> Result<(), Gone> {
        let message = match message {
            Ok(message) => message,
            Err(error) => return Err(self.refuse_message(&error).await),
        };
        let size = match &message {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) => bytes.len(),
            _ => 0,
        };
        if size > self.limits.message_bytes {
            let most = self.limits.message_bytes;
            let reason = format!("a message of {size} bytes; at most {most} are taken");
            return Err(self.close(TOO_LARGE, &reason).await);
        }
        match message {
            Message::Binary(samples) => {
                self.settings.receive(size);
                self.asked.push_back(Asked::Audio);
                self.stream.push_audio(samples).await;
                Ok(())
            }
            Message::Text(text) => self.obey(&text).await,
            Message::Close(_) => Err(Gone),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
        }
    }

    async fn obey(&mut self, text: &str) -> Result<(), Gone> {
        match Request::parse(text) {
            Ok(Request::Config(config)) => match self.settings.apply(*config) {
                Ok(()) => self.stream.configure(self.settings.stream.clone()).await,
                Err(reason) => return Err(self.close(INVALID_DATA, &reason).await),
            },
            Ok(Request::Reset) => {
                self.settings.end_utterance();
                self.ask_result().await;
            }
            Ok(Request::End) => self.close_after_result(NORMAL, String::new()).await,
            Err(reason) => return Err(self.close(INVALID_DATA, &reason).await),
        }
        Ok(())
    }

    /// Answers a message that the WebSocket's own rules forbid.
    async fn refuse_message(&mut self, error: &axum::Error) -> Gone {
        let reason = error.to_string();
        let code = if reason.contains("too long") || reason.contains("too large") {
            TOO_LARGE
        } else if reason.to_lowercase().contains("utf-8") {
            INVALID_DATA
        } else {
            return Gone;
        };
        self.close(code, &reason).await
    }

    async fn ask_result(&mut self) {
        self.asked.push_back(Asked::Result);
        self.stream.flush().await;
    }

    async fn close_after_result(&mut self, code: u16, reason: String) {
        self.closing = Some(Closing { code, reason });
        self.ask_result().await;
    }

    /// Passes on what the stream reports.
    async fn emit(&mut self, output: Output) -> Result<(), Gone> {
        match output {
            Output::Partial { utterance, text } if self.settings.events => {
                self.send(&Caption::partial(utterance, &text)).await
            }
            Output::Final { utterance, result } if self.settings.events => {
                self.send(&Caption::of_final(utterance, &result, &self.settings)).await
            }
            Output::Partial { text, .. } => {
                self.partial = text;
                Ok(())
            }
            Output::Final { result, .. } => {
                self.partial.clear();
                self.finals.push(*result);
                Ok(())
            }
            Output::Answered => self.answer().await,
            Output::Failed(failure) => Err(self.fail(failure).await),
        }
    }

    async fn answer(&mut self) -> Result<(), Gone> {
        let asked = self.asked.pop_front();
        let closing = self.closing.clone().filter(|_| self.asked.is_empty());
        if !self.settings.events {
            if asked == Some(Asked::Result) || !self.finals.is_empty() {
                self.send_result(closing.is_some()).await?;
            } else {
                let partial = PartialAnswer { partial: self.partial.clone() };
                self.send(&partial).await?;
            }
        }
        match closing {
            Some(Closing { code, reason }) => Err(self.close(code, &reason).await),
            None => Ok(()),
        }
    }

    /// Sends the utterances since the last answer as one, so that each message has one answer.
    async fn send_result(&mut self, is_last: bool) -> Result<(), Gone> {
        let finals = std::mem::take(&mut self.finals);
        let mut result = ResultAnswer::new(&finals, &self.settings);
        if is_last && self.settings.has_odd_byte() {
            result.warning =
                Some("the audio ends in the middle of a sample; its last byte is left out");
        }
        self.send(&result).await
    }

    async fn fail(&mut self, failure: Failure) -> Gone {
        if !self.settings.events
            && !self.finals.is_empty()
            && let Err(gone) = self.send_result(false).await
        {
            return gone;
        }
        let code = match failure.kind {
            FailureKind::Input => INVALID_DATA,
            FailureKind::Limit => POLICY,
            FailureKind::Internal => DEFECT,
        };
        self.close(code, &failure.reason).await
    }

    /// Closes with a reason, which a JSON message before has in whole; then nothing more is served.
    async fn close(&mut self, code: u16, reason: &str) -> Gone {
        if code != NORMAL && self.send(&ErrorAnswer { error: reason }).await.is_err() {
            return Gone;
        }
        let reason = &reason[..reason.floor_char_boundary(REASON_BYTES)];
        let frame = CloseFrame { code, reason: reason.into() };
        if self.send_message(Message::Close(Some(frame))).await.is_ok() {
            // Closing the socket on unread data would take the answer away from the client.
            let drained = async {
                while let Some(message) = self.socket.recv().await {
                    if message.is_err() {
                        pending::<()>().await;
                    }
                }
            };
            let _ = timeout(CLOSE_TIME, drained).await;
        }
        Gone
    }

    async fn send(&mut self, answer: &impl Serialize) -> Result<(), Gone> {
        let text = serde_json::to_string(answer).map_err(|_| Gone)?;
        self.send_message(Message::Text(text.into())).await
    }

    async fn send_message(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(self.sends, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}
