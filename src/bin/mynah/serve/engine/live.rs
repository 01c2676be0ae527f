//! A live stream: audio comes in messages, results go out as they are recognized.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use mynah::{Event, Recognizer, Stream, TextFormatter, audio::Resampler};
use tokio::sync::{
    OwnedSemaphorePermit, Semaphore,
    mpsc::{UnboundedReceiver, UnboundedSender, error::TryRecvError, unbounded_channel},
};

use super::{
    Admission, Class, Engine, Failure, Protocol, StreamConfig,
    pool::{Handle, Progress, Task},
};
use crate::utterance::Utterance;

/// Audio is recognized in slices of this length, so that a long message does not hold up other streams.
const SLICES_PER_SECOND: u32 = 4;
/// What a message without audio takes of the queue.
const MESSAGE_BYTES: usize = 256;
const SAMPLE_BYTES: usize = 2;

/// What a stream reports.
#[derive(Debug)]
pub enum Output {
    /// The utterance so far.
    Partial { utterance: u64, text: String },
    /// The utterance has ended.
    Final { utterance: u64, result: Box<Utterance> },
    /// A message of audio, or a flush, has been worked off; its results have been reported.
    Answered,
    /// The stream has ended; what it had recognized has been reported.
    Failed(Failure),
}

/// The connection's side of a stream. Dropping it ends the stream.
pub struct LiveStream {
    handle: Handle,
    inputs: UnboundedSender<Input>,
    outputs: UnboundedReceiver<Output>,
    queue: Arc<Semaphore>,
    engine: Arc<Engine>,
    protocol: Protocol,
}

struct Input {
    message: Message,
    arrived: Instant,
    /// Its part of the queue.
    _room: OwnedSemaphorePermit,
}

enum Message {
    Audio(Bytes),
    Configure(StreamConfig),
    Flush,
}

impl LiveStream {
    pub(super) fn new(admission: Admission, config: StreamConfig) -> Self {
        let (inputs, input_receiver) = unbounded_channel();
        let (output_sender, outputs) = unbounded_channel();
        let (engine, protocol) = (Arc::clone(&admission.engine), admission.protocol);
        let task = LiveTask {
            intake: None,
            audio: None,
            odd_byte: None,
            received: Duration::ZERO,
            recognized: Duration::ZERO,
            config,
            inputs: input_receiver,
            outputs: output_sender,
            admission,
        };
        let handle = engine.pool.add(Class::Live, Box::new(task));
        let queue = Arc::new(Semaphore::new(engine.limits.queue_bytes));
        Self { handle, inputs, outputs, queue, engine, protocol }
    }

    /// Adds 16-bit little-endian mono samples; waits while the queue is full.
    pub async fn push_audio(&self, bytes: Bytes) {
        let size = bytes.len();
        self.engine.metrics.receive(self.protocol, size);
        self.push(Message::Audio(bytes), size).await;
    }

    /// Takes other choices for what follows.
    pub async fn configure(&self, config: StreamConfig) {
        self.push(Message::Configure(config), 0).await;
    }

    /// Ends the utterance with what has been pushed.
    pub async fn flush(&self) {
        self.push(Message::Flush, 0).await;
    }

    /// Gives the next output; `None` after [`Output::Failed`].
    pub async fn next(&mut self) -> Option<Output> {
        self.outputs.recv().await
    }

    async fn push(&self, message: Message, size: usize) {
        let room = size.clamp(MESSAGE_BYTES, self.engine.limits.queue_bytes) as u32;
        let Ok(room) = Arc::clone(&self.queue).acquire_many_owned(room).await else { return };
        let input = Input { message, arrived: Instant::now(), _room: room };
        // Of a stream that has failed the outputs say why.
        if self.inputs.send(input).is_ok() {
            self.handle.wake();
        }
    }
}

impl Drop for LiveStream {
    fn drop(&mut self) {
        self.outputs.close();
        // The task sees that nobody is left, and ends.
        self.handle.wake();
    }
}

/// The workers' side.
struct LiveTask {
    /// There from the first audio on.
    intake: Option<Intake>,
    /// The message that is being worked off, and how many bytes of it have been.
    audio: Option<(Input, usize)>,
    /// The first half of a sample whose second half has not come.
    odd_byte: Option<u8>,
    received: Duration,
    recognized: Duration,
    config: StreamConfig,
    inputs: UnboundedReceiver<Input>,
    outputs: UnboundedSender<Output>,
    admission: Admission,
}

/// From the client's samples to events.
struct Intake {
    resampler: Resampler,
    recognizer: Recognizer,
    stream: Stream,
    formatter: Option<TextFormatter>,
    /// The first utterance of the stream, of those of the client.
    first_utterance: u64,
    next_utterance: u64,
    samples: Vec<f32>,
    resampled: Vec<f32>,
}

impl Task for LiveTask {
    fn run(&mut self) -> Progress {
        if self.outputs.is_closed() {
            return Progress::Ended;
        }
        match self.step() {
            Ok(progress) => progress,
            Err(failure) => {
                self.fail(failure);
                Progress::Ended
            }
        }
    }

    fn panicked(&mut self) {
        self.fail(Failure::panicked());
    }
}

impl LiveTask {
    fn step(&mut self) -> Result<Progress, Failure> {
        if let Some((input, done)) = self.audio.take() {
            return self.recognize(input, done);
        }
        let input = match self.inputs.try_recv() {
            Ok(input) => input,
            Err(TryRecvError::Empty) => return Ok(Progress::Waiting),
            Err(TryRecvError::Disconnected) => return Ok(Progress::Ended),
        };
        match input.message {
            Message::Audio(_) => self.recognize(input, 0),
            Message::Configure(config) => {
                self.configure(config)?;
                Ok(Progress::Ready)
            }
            Message::Flush => {
                self.flush(input.arrived)?;
                self.report(Output::Answered);
                Ok(Progress::Ready)
            }
        }
    }

    /// Recognizes a slice of a message.
    fn recognize(&mut self, input: Input, done: usize) -> Result<Progress, Failure> {
        let Message::Audio(bytes) = &input.message else { return Ok(Progress::Ready) };
        let slice_bytes = (self.config.sample_rate / SLICES_PER_SECOND) as usize * SAMPLE_BYTES;
        let end = bytes.len().min(done.saturating_add(slice_bytes.max(SAMPLE_BYTES)));
        self.check_length(end - done)?;
        let (slice, began) = (bytes.slice(done..end), Instant::now());
        let is_whole = end == bytes.len();
        let arrived = input.arrived;
        if !is_whole {
            self.audio = Some((input, end));
        }
        let accepted = self.accept(&slice, arrived);
        let audio = self.length_of(slice.len());
        self.recognized += audio;
        self.admission.engine.metrics.compute(began.elapsed(), audio);
        accepted?;
        if is_whole {
            self.report(Output::Answered);
        }
        Ok(Progress::Ready)
    }

    fn accept(&mut self, bytes: &[u8], arrived: Instant) -> Result<(), Failure> {
        let mut intake = self.take_intake()?;
        intake.samples.clear();
        let mut odd_byte = self.odd_byte.take();
        for &byte in bytes {
            match odd_byte.take() {
                None => odd_byte = Some(byte),
                Some(low) => {
                    let sample = i16::from_le_bytes([low, byte]);
                    intake.samples.push(f32::from(sample) / 32_768.0);
                }
            }
        }
        self.odd_byte = odd_byte;
        intake.resampled.clear();
        intake.resampler.process(&intake.samples, &mut intake.resampled);
        let accepted = intake.stream.accept_waveform(&intake.resampled);
        self.report_events(&mut intake, arrived);
        self.intake = Some(intake);
        Ok(accepted?)
    }

    /// Ends the utterance.
    fn flush(&mut self, arrived: Instant) -> Result<(), Failure> {
        self.odd_byte = None;
        let Some(mut intake) = self.intake.take() else { return Ok(()) };
        let began = Instant::now();
        intake.resampled.clear();
        intake.resampler.finish(&mut intake.resampled);
        let accepted = intake.stream.accept_waveform(&intake.resampled);
        let finished = intake.stream.finish();
        self.report_events(&mut intake, arrived);
        self.intake = Some(intake);
        self.admission.engine.metrics.compute(began.elapsed(), Duration::ZERO);
        Ok(accepted.and(finished)?)
    }

    fn configure(&mut self, config: StreamConfig) -> Result<(), Failure> {
        let engine = Arc::clone(&self.admission.engine);
        let (is_other_rate, is_other_decoding) = (
            config.sample_rate != self.config.sample_rate,
            config.differs_in_decoding(&self.config),
        );
        if self.intake.is_some() && (is_other_rate || is_other_decoding) {
            self.flush(Instant::now())?;
        }
        let Some(before) = &self.intake else {
            // A wrong choice is answered before the first audio.
            self.config = config;
            self.intake = Some(Intake::new(&engine, &self.config)?);
            return Ok(());
        };
        let (position, next_utterance) = (before.stream.samples_accepted(), before.next_utterance);
        if is_other_decoding {
            let mut intake = Intake::new(&engine, &config)?;
            intake.stream.skip(position)?;
            intake.first_utterance = next_utterance;
            self.intake = Some(intake);
        } else if let Some(intake) = &mut self.intake {
            if is_other_rate {
                intake.resampler = Resampler::new(config.sample_rate, engine.live.sample_rate())?;
            }
            if config.formatted != self.config.formatted {
                intake.formatter = engine.formatter(config.formatted);
            }
        }
        self.config = config;
        Ok(())
    }

    fn take_intake(&mut self) -> Result<Intake, Failure> {
        match self.intake.take() {
            Some(intake) => Ok(intake),
            None => Intake::new(&self.admission.engine, &self.config),
        }
    }

    /// Refuses audio beyond the limit.
    fn check_length(&mut self, bytes: usize) -> Result<(), Failure> {
        self.received += self.length_of(bytes);
        let most = self.admission.engine.limits.audio;
        if self.received <= most {
            return Ok(());
        }
        self.flush(Instant::now())?;
        let seconds = most.as_secs_f64();
        Err(Failure::limit(format!("more than {seconds} s of audio in one stream; begin another")))
    }

    fn length_of(&self, bytes: usize) -> Duration {
        let rate = f64::from(self.config.sample_rate.max(1)) * SAMPLE_BYTES as f64;
        Duration::from_secs_f64(bytes as f64 / rate)
    }

    fn report_events(&self, intake: &mut Intake, arrived: Instant) {
        let metrics = &self.admission.engine.metrics;
        while let Some(event) = intake.stream.next_event() {
            let output = intake.output(&event);
            let latency = arrived.elapsed().as_secs_f64();
            if event.is_final() {
                metrics.final_latency.observe(latency);
            } else {
                metrics.partial_latency.observe(latency);
            }
            self.report(output);
        }
    }

    fn fail(&self, failure: Failure) {
        self.admission.fail();
        log::debug!("a stream has failed: {}", failure.reason);
        self.report(Output::Failed(failure));
    }

    fn report(&self, output: Output) {
        // A client that has left needs no results; the next slice ends its stream.
        let _ = self.outputs.send(output);
    }
}

impl Drop for LiveTask {
    /// Counts the audio that is left.
    fn drop(&mut self) {
        let mut bytes = 0;
        let mut count = |input: &Input, done| {
            if let Message::Audio(audio) = &input.message {
                bytes += audio.len() - done;
            }
        };
        self.audio.iter().for_each(|(input, done)| count(input, *done));
        while let Ok(input) = self.inputs.try_recv() {
            count(&input, 0);
        }
        let lost = self.length_of(bytes) + self.received.saturating_sub(self.recognized);
        self.admission.engine.metrics.lost_audio.inc_by(lost.as_secs_f64());
    }
}

impl Intake {
    /// # Errors
    ///
    /// The client's choices can't be had.
    fn new(engine: &Engine, config: &StreamConfig) -> Result<Self, Failure> {
        let recognizer = engine.live_recognizer(config)?;
        Ok(Self {
            resampler: Resampler::new(config.sample_rate, recognizer.sample_rate())?,
            stream: recognizer.stream(),
            formatter: engine.formatter(config.formatted),
            recognizer,
            first_utterance: 0,
            next_utterance: 0,
            samples: Vec::new(),
            resampled: Vec::new(),
        })
    }

    fn output(&mut self, event: &Event) -> Output {
        let utterance = self.first_utterance + event.utterance();
        self.next_utterance = self.next_utterance.max(utterance + 1);
        let hypothesis = event.hypothesis();
        if event.is_final() {
            let model = self.recognizer.model();
            let result = Utterance::of_final(hypothesis, model, self.formatter.as_mut());
            return Output::Final { utterance, result: Box::new(result) };
        }
        let text = match &self.formatter {
            None => hypothesis.text.to_lowercase(),
            Some(formatter) => formatter.partial_text(hypothesis.text.split_whitespace()),
        };
        Output::Partial { utterance, text }
    }
}
