//! Refuses a system that Mynah does not run on, before its dependencies are built for it, makes the
//! program smaller where the linker can, and packs the texts of the model that is built in.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use miniz_oxide::deflate::compress_to_vec_zlib;

/// What `Model::builtin` unpacks.
const PACKED: [&str; 2] = ["pronunciations.txt", "letter-to-sound.txt"];
/// The best compression.
const LEVEL: u8 = 10;

fn main() -> Result<(), Box<dyn Error>> {
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
    if env::var_os("CARGO_FEATURE_BUILTIN_MODEL").is_some() {
        pack_texts()?;
    }
    Ok(())
}

/// Writes each text, packed, to `OUT_DIR`, as `NAME.zlib`.
fn pack_texts() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    for name in PACKED {
        let path = Path::new("models/en-small").join(name);
        println!("cargo::rerun-if-changed={}", path.display());
        let packed = compress_to_vec_zlib(&fs::read(path)?, LEVEL);
        fs::write(Path::new(&out).join(format!("{name}.zlib")), packed)?;
    }
    Ok(())
}

fn target(property: &str) -> String {
    env::var(format!("CARGO_CFG_TARGET_{property}")).unwrap_or_default()
}
