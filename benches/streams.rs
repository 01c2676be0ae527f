//! Real-time streams of speech against `mynah serve`: how late partial results come, by the number of streams.
//!
//!     cargo bench --bench streams -- [OPTIONS] [OPTION OF mynah serve]...
//!
//! | option | meaning | default |
//! | --- | --- | --- |
//! | `--streams N,N,…` | streams at the same time | 1,5,10,20,30 |
//! | `--seconds S` | length of each measurement | 30 |
//! | `--output FOLDER` | where `streams.json` and `streams.svg` are written | `.` |
//! | `--audio FILE` | speech, repeated with a second of silence between; may be given several times | `examples/speech.flac` |
//!
//! Latencies of a word count from its end as the result gives it: its emission latency to the first message from then on
//! that shows it, its partial latency to the first message from which on it stays as it is. Refusal: from the request of
//! one stream more than the server takes to its answer.

#![allow(clippy::unwrap_used, reason = "a panic ends the measurement")]

#[path = "../tests/websocket/mod.rs"]
mod websocket;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use mynah::audio::{AudioFile, ReadOutcome::Samples, Resampler, Source};
use plotters::prelude::*;
use serde::Serialize;
use serde_json::Value;
use websocket::{BINARY, Received, WebSocket};

const RATE: u32 = 16_000;
const MESSAGE: Duration = Duration::from_millis(100);
const MESSAGE_BYTES: usize = RATE as usize / 10 * 2;
/// What the server is to keep below, in seconds.
const BAR: f64 = 1.0;

struct Options {
    streams: Vec<usize>,
    length: Duration,
    output: PathBuf,
    audio: Vec<PathBuf>,
    server: Vec<String>,
}

/// What a number of streams came to; times in seconds.
#[derive(Serialize)]
struct Measurement {
    streams: usize,
    words: usize,
    emission_latency_p50: f64,
    emission_latency_p95: f64,
    partial_latency_p50: f64,
    partial_latency_p95: f64,
    refusal: f64,
}

/// A word's latencies in seconds.
struct Latency {
    emission: f64,
    partial: f64,
}

struct Server {
    process: Child,
    address: String,
}

/// A message: when it came, its utterance, its words, and their ends in seconds if it is a result.
struct Shown {
    at: Duration,
    utterance: u64,
    words: Vec<String>,
    ends: Option<Vec<f64>>,
}

fn main() {
    let options = Options::parse();
    let audio: Vec<_> = options.audio.iter().map(|file| Arc::new(samples(file))).collect();
    let measured: Vec<_> =
        options.streams.iter().map(|&streams| measure(streams, &audio, &options)).collect();
    fs::create_dir_all(&options.output).unwrap();
    let json = serde_json::to_string_pretty(&measured).unwrap();
    fs::write(options.output.join("streams.json"), json + "\n").unwrap();
    let mut svg = String::new();
    draw(&mut svg, &measured).unwrap();
    fs::write(options.output.join("streams.svg"), svg).unwrap();
}

impl Options {
    fn parse() -> Self {
        let mut options = Self {
            streams: vec![1, 5, 10, 20, 30],
            length: Duration::from_secs(30),
            output: ".".into(),
            audio: Vec::new(),
            server: Vec::new(),
        };
        let mut arguments = env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value =
                || arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
            match argument.as_str() {
                // Cargo's own.
                "--bench" => {}
                "--streams" => {
                    options.streams = value().split(',').map(|n| n.parse().unwrap()).collect();
                }
                "--seconds" => options.length = Duration::from_secs_f64(value().parse().unwrap()),
                "--output" => options.output = value().into(),
                "--audio" => options.audio.push(value().into()),
                _ => options.server.push(argument),
            }
        }
        if options.audio.is_empty() {
            options.audio =
                vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/speech.flac")];
        }
        options
    }
}

impl Server {
    fn start(streams: usize, options: &[String]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mynah"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--max-streams", &streams.to_string()]);
        let mut process = command.args(options).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let begin = "listening: http://";
        let line = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with(begin));
        let address = line.expect("the server listens")[begin.len()..].to_owned();
        thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// 16-bit mono samples at 16 kHz, with a second of silence behind.
fn samples(file: &Path) -> Vec<u8> {
    let mut file = AudioFile::open(file).unwrap();
    let mut resampler = Resampler::new(file.sample_rate(), RATE).unwrap();
    let (mut samples, mut block) = (Vec::new(), vec![0.0; 4_096]);
    while let Samples(count) = file.read(&mut block).unwrap() {
        resampler.process(&block[..count], &mut samples);
    }
    resampler.finish(&mut samples);
    samples.resize(samples.len() + RATE as usize, 0.0);
    samples.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect()
}

/// Runs so many streams, and asks for one more in their middle.
fn measure(streams: usize, audio: &[Arc<Vec<u8>>], options: &Options) -> Measurement {
    let server = Server::start(streams, &options.server);
    let threads: Vec<_> = (0..streams)
        .map(|index| {
            let socket = WebSocket::open(&server.address, "/ws", "").expect("room for the stream");
            let (audio, length) = (Arc::clone(&audio[index % audio.len()]), options.length);
            // Streams do not begin at the same time; neither do their messages come so.
            let delay = Duration::from_secs(1).mul_f64(index as f64 / streams as f64);
            thread::spawn(move || {
                thread::sleep(delay);
                stream(socket, &audio, length)
            })
        })
        .collect();
    thread::sleep(options.length / 2);
    let began = Instant::now();
    let refused = WebSocket::open(&server.address, "/ws", "").err().expect("a refusal");
    let refusal = began.elapsed().as_secs_f64();
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    let latencies: Vec<Latency> =
        threads.into_iter().flat_map(|thread| latencies(&thread.join().unwrap())).collect();
    assert!(!latencies.is_empty(), "no words were recognized");
    let [emission_latency_p50, emission_latency_p95] =
        percentiles(&latencies, |word| word.emission);
    let [partial_latency_p50, partial_latency_p95] = percentiles(&latencies, |word| word.partial);
    println!(
        "{streams} streams: emission latency p50 {emission_latency_p50:.3} s, p95 {emission_latency_p95:.3} s, \
         partial latency p50 {partial_latency_p50:.3} s, p95 {partial_latency_p95:.3} s over {} words; \
         the next is refused in {refusal:.4} s",
        latencies.len()
    );
    Measurement {
        streams,
        words: latencies.len(),
        emission_latency_p50,
        emission_latency_p95,
        partial_latency_p50,
        partial_latency_p95,
        refusal,
    }
}

/// The median and the 95th percentile.
fn percentiles(latencies: &[Latency], value: fn(&Latency) -> f64) -> [f64; 2] {
    let mut values: Vec<_> = latencies.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    [50, 95].map(|p| values[(values.len() * p).div_ceil(100).max(1) - 1])
}

/// Sends audio as it would be spoken, and gathers what is shown.
fn stream(mut socket: WebSocket, audio: &[u8], length: Duration) -> Vec<Shown> {
    socket.send_text(&format!(r#"{{"config": {{"sample_rate": {RATE}, "events": true}}}}"#));
    let mut receiving = socket.clone();
    let (began, shown) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let gathered = Arc::clone(&shown);
    let receiver = thread::spawn(move || {
        while let Received::Text(text) = receiving.receive() {
            gathered.lock().unwrap().push(Shown::new(began.elapsed(), &text));
        }
    });
    let mut due = MESSAGE;
    for message in audio.chunks(MESSAGE_BYTES).cycle() {
        thread::sleep(due.saturating_sub(began.elapsed()));
        socket.send(BINARY, message).unwrap();
        // The last message of a recording is shorter.
        due += MESSAGE.mul_f64(message.len() as f64 / MESSAGE_BYTES as f64);
        if due > length {
            break;
        }
    }
    socket.send_text(r#"{"eof": 1}"#);
    receiver.join().unwrap();
    std::mem::take(&mut *shown.lock().unwrap())
}

impl Shown {
    fn new(at: Duration, text: &str) -> Self {
        let event: Value = serde_json::from_str(text).unwrap();
        assert!(event.get("error").is_none(), "{event}");
        let is_final = event["text"].is_string();
        let text = event[if is_final { "text" } else { "partial" }].as_str().unwrap();
        let ends = event["result"].as_array().into_iter().flatten();
        let ends: Vec<_> = ends.map(|word| word["end"].as_f64().unwrap()).collect();
        Self {
            at,
            utterance: event["utterance"].as_u64().unwrap(),
            words: text.split(' ').map(str::to_owned).collect(),
            ends: is_final.then_some(ends),
        }
    }
}

/// Those of each word of each result.
fn latencies(shown: &[Shown]) -> Vec<Latency> {
    let mut latencies = Vec::new();
    for (index, result) in shown.iter().enumerate() {
        let Some(ends) = &result.ends else { continue };
        let of_utterance: Vec<_> =
            shown[..=index].iter().filter(|event| event.utterance == result.utterance).collect();
        for (place, (word, end)) in result.words.iter().zip(ends).enumerate() {
            let latency = |event: &Shown| event.at.as_secs_f64() - end;
            let shows = |event: &&&Shown| latency(event) >= 0.0 && shows(&event.words, word, place);
            let stays = |event: &&&Shown| event.words.get(place) == Some(word);
            let first = of_utterance.iter().find(shows).map_or(0.0, |event| latency(event));
            let last = of_utterance.iter().rev().take_while(stays).last().unwrap();
            latencies.push(Latency { emission: first, partial: latency(last).max(0.0) });
        }
    }
    latencies
}

/// Whether words have a word at its place, or beside it, since a word more or less may stand before it.
fn shows(words: &[String], word: &String, place: usize) -> bool {
    let near = place.saturating_sub(1)..words.len().min(place + 2);
    words.get(near).is_some_and(|near| near.contains(word))
}

fn draw(svg: &mut String, measured: &[Measurement]) -> Result<(), Box<dyn std::error::Error>> {
    let most_streams = measured.iter().map(|m| m.streams).max().unwrap_or(1) as f64;
    let most_seconds = measured.iter().map(|m| m.partial_latency_p95).fold(1.2 * BAR, f64::max);
    let area = SVGBackend::with_string(svg, (800, 500)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(20)
        .caption("Latency of words by real-time streams", ("sans-serif", 20))
        .x_label_area_size(45)
        .y_label_area_size(55)
        .build_cartesian_2d(0.0..most_streams, 0.0..most_seconds)?;
    chart.configure_mesh().x_desc("streams").y_desc("seconds").draw()?;
    chart.draw_series(LineSeries::new([(0.0, BAR), (most_streams, BAR)], BLACK.mix(0.4)))?;
    type Value = fn(&Measurement) -> f64;
    let curves: [(&str, Value); 4] = [
        ("emission, p50", |m| m.emission_latency_p50),
        ("emission, p95", |m| m.emission_latency_p95),
        ("as it stays, p50", |m| m.partial_latency_p50),
        ("as it stays, p95", |m| m.partial_latency_p95),
    ];
    for (index, (name, value)) in curves.into_iter().enumerate() {
        let style = Palette99::pick(index).stroke_width(2);
        let points = measured.iter().map(|m| (m.streams as f64, value(m)));
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    chart.configure_series_labels().background_style(WHITE).border_style(BLACK).draw()?;
    area.present()?;
    Ok(())
}
