//! What a stream allocates once it has warmed up, counted by the allocator.

#![cfg(feature = "builtin-model")]
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

use std::alloc::System;

use mynah::{EndpointConfig, Finals, LoadOptions, Model, Recognizer, RecognizerConfig, Stream};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Chunks after which the caches are full.
const WARM_UP: usize = 60;
/// Chunks after which the search's buffers too have their size.
const SETTLED: usize = 150;

/// The allocations of `work`.
fn allocations(work: impl FnOnce()) -> Stats {
    let region = Region::new(ALLOCATOR);
    work();
    region.change()
}

/// Faint noise, a chunk at a time.
struct Noise(u32);

impl Noise {
    fn chunk(&mut self, samples: usize) -> Vec<f32> {
        let mut next = || {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((self.0 >> 16) as f32 / 32_768.0 - 1.0) * 1e-3
        };
        (0..samples).map(|_| next()).collect()
    }
}

fn chunk_samples(recognizer: &Recognizer) -> usize {
    let config = recognizer.model().config();
    config.encoder.chunk_frames * config.features.frame_shift_samples
}

fn warm(recognizer: &Recognizer, noise: &mut Noise, chunks: usize) -> Stream {
    let mut stream = recognizer.stream();
    for _ in 0..chunks {
        stream.accept_waveform(&noise.chunk(chunk_samples(recognizer))).unwrap();
        while stream.next_event().is_some() {}
    }
    stream
}

/// All in one test: counts of the whole process would be mixed by tests beside one another.
#[test]
fn a_warm_stream_allocates_for_tract_alone_and_shares_the_weights() {
    let options = LoadOptions { finals: Finals::FirstPass, ..LoadOptions::default() };
    let model = Model::builtin_with(&options).unwrap();
    let endpoint = EndpointConfig { enabled: false, ..EndpointConfig::default() };
    let config = RecognizerConfig { endpoint, ..RecognizerConfig::default() };
    let recognizer = Recognizer::with_config(model, config).unwrap();
    let mut noise = Noise(1);

    // The encoder alone.
    let encoder_config = &recognizer.model().config().encoder;
    let mel_bins = recognizer.model().config().features.mel_bins;
    let frames = vec![-16.0; encoder_config.input_frames() * mel_bins];
    let mut state = recognizer.model().encoder().state();
    let mut encode = || assert!(!state.encode_chunk(&frames).unwrap().is_empty());
    (0..WARM_UP).for_each(|_| encode());
    let encoder: Vec<_> = (0..20).map(|_| allocations(&mut encode)).collect();
    let per_chunk = encoder[0].allocations;
    println!("the encoder: {per_chunk} allocations a chunk");
    for chunk in &encoder {
        assert_eq!(chunk.allocations, per_chunk);
        assert_eq!(chunk.bytes_allocated, chunk.bytes_deallocated, "memory grows");
    }

    // All stages: features, gate, encoder, search, endpoint.
    let mut stream = warm(&recognizer, &mut noise, SETTLED);
    for _ in 0..20 {
        let samples = noise.chunk(chunk_samples(&recognizer));
        let chunk = allocations(|| stream.accept_waveform(&samples).unwrap());
        assert!(stream.next_event().is_none(), "the noise was taken for words");
        println!("a chunk: {} allocations", chunk.allocations);
        assert_eq!(chunk.allocations, per_chunk, "beyond the encoder's");
        assert_eq!(chunk.bytes_allocated, chunk.bytes_deallocated, "memory grows");
    }

    // Each of ten streams beside that one takes less than the weights once more, its full beam included.
    let weights = std::fs::metadata(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/models/en-small/encoder.int8.onnx"
    ));
    let mut streams = Vec::new();
    let ten =
        allocations(|| streams.extend((0..10).map(|_| warm(&recognizer, &mut noise, WARM_UP))));
    let each = (ten.bytes_allocated - ten.bytes_deallocated) / 10;
    println!("a stream: {each} bytes");
    assert!((each as u64) < weights.unwrap().len(), "{each} bytes per stream");
}
