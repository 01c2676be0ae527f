//! `mynah --licenses`: the licences of the program, its model and its dependencies.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Result, anyhow};
use miniz_oxide::inflate::decompress_to_vec_zlib;

/// The texts, packed by the build script.
const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/licenses.txt.zlib"));

/// Prints them.
///
/// # Errors
///
/// Standard output can't be written.
pub fn print() -> Result<ExitCode> {
    io::stdout().lock().write_all(&texts()?)?;
    Ok(ExitCode::SUCCESS)
}

fn texts() -> Result<Vec<u8>> {
    decompress_to_vec_zlib(PACKED)
        .map_err(|e| anyhow!("the licences in this program are damaged: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_contains_is_named() {
        let texts = String::from_utf8(texts().unwrap()).unwrap();
        for name in ["MIT License", "Apache License", "tract-core ", "symphonia-core "] {
            assert!(texts.contains(name), "{name}");
        }
        #[cfg(builtin_model)]
        for name in ["Copyright (c) 2022 OpenAI", "Carnegie Mellon University", "CC BY-SA 4.0"] {
            assert!(texts.contains(name), "{name}");
        }
    }
}
