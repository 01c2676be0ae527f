//! All fuzz targets in one program, which is linked once; `MYNAH_FUZZ` names the one that is fed.
#![no_main]

mod containers;
mod input;
mod memory_file;
mod onnx;
mod targets;
mod tiny_model;

/// The program's modules that read messages, at the paths by which they call one another.
#[path = "../../src/bin/mynah/serve"]
#[allow(dead_code, reason = "they have more than what reads messages")]
mod serve {
    pub mod engine {
        mod failure;
        mod stream_config;

        pub use failure::{Failure, FailureKind};
        pub use stream_config::StreamConfig;
    }
    pub mod openai {
        pub mod error;
        pub mod form;
    }
    pub mod vosk {
        pub mod request;
    }
    pub mod wyoming {
        pub mod audio;
        pub mod message;
    }
}

use libfuzzer_sys::{fuzz_mutator, fuzz_target};

use targets::TARGET;

fuzz_target!(init: (TARGET.prepare)(), |data: &[u8]| (TARGET.run)(data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    (TARGET.mutate)(data, size, max_size, seed)
});

/// Gives a file in one of Mynah's compact forms the length and the checksum that its body has, so that damage of
/// the body is found where it does harm and not by the checksum. Other bytes stay as they are.
fn sealed(file: &[u8]) -> Vec<u8> {
    const BODY: usize = 24;
    let mut sealed = file.to_vec();
    if file.starts_with(b"mynah-") && file.len() >= BODY {
        let body = &file[BODY..];
        sealed[8..12].copy_from_slice(&1_u32.to_le_bytes());
        sealed[12..20].copy_from_slice(&(body.len() as u64).to_le_bytes());
        sealed[20..24].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
    }
    sealed
}
