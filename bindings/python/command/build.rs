//! Packs the notices that `mynah --licenses` prints, as the package's build script does for the program.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use miniz_oxide::deflate::compress_to_vec_zlib;

const ROOT: &str = "../../..";
const NOTICES: [&str; 4] =
    ["models/en-small/LICENSE", "LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY-NOTICES"];
/// The best compression.
const LEVEL: u8 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    // Features that the program has and this library has not.
    println!("cargo::rustc-check-cfg=cfg(feature, values(\"measure\", \"mic\"))");
    println!("cargo::rustc-check-cfg=cfg(builtin_model)");
    println!("cargo::rustc-check-cfg=cfg(repository)");
    let mut text = Vec::new();
    for name in NOTICES {
        let path = Path::new(ROOT).join(name);
        println!("cargo::rerun-if-changed={}", path.display());
        text.extend(fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?);
        text.push(b'\n');
    }
    let packed = Path::new(&env::var("OUT_DIR")?).join("licenses.txt.zlib");
    Ok(fs::write(packed, compress_to_vec_zlib(&text, LEVEL))?)
}
