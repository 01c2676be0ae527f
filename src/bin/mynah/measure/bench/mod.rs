//! `mynah bench`: what recognition takes on this machine.

mod encoder;
pub mod machine;
mod memory;
mod report;
mod silence;
pub mod speech;

use std::{process::ExitCode, time::Instant};

use anyhow::Result;
use mynah::audio::{AudioFile, RawFormat, SampleFormat};

use self::{
    machine::Machine,
    memory::Memory,
    report::{ChunkCompute, Report, Stages},
    speech::Speech,
};
use crate::{
    measure::args::BenchArgs,
    output::Output,
    recognizer_args::{Defaults, precision_name},
};

/// What is recognized where no file is given: four seconds of synthetic speech.
pub const EXAMPLE: &[u8] = include_bytes!("../../../../../examples/speech.flac");

/// What the example would be without a header; it has one.
pub const NOT_RAW: RawFormat =
    RawFormat { sample_rate: 16_000, channels: 1, format: SampleFormat::I16 };

/// Measures and prints the report.
///
/// # Errors
///
/// The model or the recording can't be read, or the report can't be written.
pub fn run(args: &BenchArgs) -> Result<ExitCode> {
    let began = Instant::now();
    let recognizer = args.recognizer.recognizer(Defaults { gated: true, ..Defaults::default() })?;
    let start_up = began.elapsed();
    recognizer.model().finish_loading()?;
    let second_pass = recognizer.model().has_second_pass().then(|| began.elapsed().as_secs_f64());
    let mut speech = Speech::default();
    while speech.audio < args.seconds {
        match &args.file {
            Some(file) => speech.add(&recognizer, AudioFile::open(file)?, file)?,
            None => {
                speech.add(&recognizer, AudioFile::from_stream(EXAMPLE, NOT_RAW)?, "example")?
            }
        }
    }
    let memory = Memory::of_this_process();
    let encoder = encoder::computations(&recognizer)?;
    let silence_cpu_share = silence::cpu_share(&recognizer)?;
    let config = recognizer.model().config();
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        machine: Machine::this(),
        model: config.name.clone(),
        precision: precision_name(recognizer.model()),
        kernels: recognizer.model().encoder().matrix_kernels(),
        start_up_seconds: start_up,
        second_pass_seconds: second_pass,
        audio_seconds: speech.audio,
        real_time_factor: speech.compute.as_secs_f64() / speech.audio.as_secs_f64(),
        chunk_compute: ChunkCompute::of(speech::chunk_length(&recognizer), speech.chunks),
        encoder_compute: ChunkCompute::of(speech::chunk_length(&recognizer), encoder),
        stages: Stages::of(speech.stages),
        latency_seconds: speech.latencies.summary(),
        memory,
        silence_cpu_share,
    };
    let mut out = Output::stdout();
    if args.json {
        report.write_json(&mut out)?
    } else {
        report.write_table(&mut out)?
    }
    Ok(ExitCode::SUCCESS)
}
