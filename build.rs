//! Refuses a system that Mynah does not run on, before its dependencies are built for it, makes the
//! program smaller where the linker can, finds the model to build in, packs texts, and notes the checksums of
//! the model's other files.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use miniz_oxide::deflate::compress_to_vec_zlib;

/// What `Model::builtin` unpacks.
const PACKED: [&str; 2] = ["pronunciations.txt", "letter-to-sound.txt"];
/// What `mynah --licenses` prints of the package, after the licence of the model.
const NOTICES: [&str; 3] = ["LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY-NOTICES"];
/// What `Model::verify_builtin` compares.
const CHECKED: [&str; 4] = ["encoder.int8.onnx", "words.lm", "words.rnn", "punctuation.bin"];
/// The best compression.
const LEVEL: u8 = 10;
/// The model to build in.
const MODEL: &str = "MYNAH_BUILTIN_MODEL";

type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

fn main() -> Result {
    println!("cargo::rerun-if-changed=build.rs");
    if target("ARCH") == "arm" {
        println!(
            "cargo::error=32-bit ARM is not supported: take a 64-bit system, such as Raspberry Pi OS (64-bit), \
             which runs on Raspberry Pi 3, 4, 5 and Zero 2 W"
        );
    }
    // A megabyte and a half of relocations become a hundredth of that. glibc reads the packed form from
    // 2.36 on; the linkers beside an older one don't know the option, and say so at most.
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    find_repository()?;
    let model = if has_feature("BUILTIN_MODEL") { find_model()? } else { None };
    println!("cargo::rustc-check-cfg=cfg(builtin_model)");
    if let Some(model) = &model {
        pack_texts(model)?;
        note_checksums(model)?;
    }
    if has_feature("CLI") { pack_notices(model.as_deref()) } else { Ok(()) }
}

/// Sets `cfg(repository)` where the tests' models are, which the package lacks.
fn find_repository() -> Result {
    println!("cargo::rustc-check-cfg=cfg(repository)");
    if Path::new("tests/data/random/encoder.int8.onnx").try_exists()? {
        println!("cargo::rustc-cfg=repository");
    }
    Ok(())
}

/// Sets `cfg(builtin_model)` and the model's folder, if there is one to build in.
fn find_model() -> Result<Option<PathBuf>> {
    println!("cargo::rerun-if-env-changed={MODEL}");
    let chosen = env::var_os(MODEL);
    let folder = chosen.as_ref().map_or(Path::new("models/en-small"), Path::new);
    let folder = std::path::absolute(folder)?;
    println!("cargo::rerun-if-changed={}", folder.join("config.json").display());
    if !folder.join("config.json").try_exists()? {
        if chosen.is_some() {
            println!("cargo::error={MODEL}: {} has no config.json", folder.display());
        }
        return Ok(None);
    }
    println!("cargo::rustc-cfg=builtin_model");
    println!("cargo::rustc-env={MODEL}={}", folder.display());
    Ok(Some(folder))
}

/// Writes each text of the model, packed, to `OUT_DIR`, as `NAME.zlib`.
fn pack_texts(model: &Path) -> Result {
    for name in PACKED {
        pack(name, &read(&model.join(name))?)?;
    }
    Ok(())
}

/// Writes the name and the CRC-32 of each file to `OUT_DIR`, as a constant in Rust.
fn note_checksums(model: &Path) -> Result {
    let mut files = Vec::new();
    for name in CHECKED {
        files.push((name, crc32fast::hash(&read(&model.join(name))?)));
    }
    let constant = format!("const FILES: [(&str, u32); {}] = {files:?};\n", files.len());
    Ok(fs::write(Path::new(&env::var("OUT_DIR")?).join("checksums.rs"), constant)?)
}

/// Writes the licences of the program and all that it contains, packed, to `OUT_DIR`.
fn pack_notices(model: Option<&Path>) -> Result {
    let model = model.map(|model| model.join("LICENSE"));
    let mut text = Vec::new();
    for file in model.into_iter().chain(NOTICES.map(PathBuf::from)) {
        text.extend(read(&file)?);
        text.push(b'\n');
    }
    pack("licenses.txt", &text)
}

fn pack(name: &str, text: &[u8]) -> Result {
    let path = Path::new(&env::var("OUT_DIR")?).join(format!("{name}.zlib"));
    Ok(fs::write(path, compress_to_vec_zlib(text, LEVEL))?)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    println!("cargo::rerun-if-changed={}", path.display());
    fs::read(path).map_err(|e| format!("{}: {e}", path.display()).into())
}

fn has_feature(name: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
}

fn target(property: &str) -> String {
    env::var(format!("CARGO_CFG_TARGET_{property}")).unwrap_or_default()
}
