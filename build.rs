//! Refuses a system that Mynah does not run on, before its dependencies are built for it.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "arm") {
        println!(
            "cargo::error=32-bit ARM is not supported: take a 64-bit system, such as Raspberry Pi OS (64-bit), \
             which runs on Raspberry Pi 3, 4, 5 and Zero 2 W"
        );
    }
}
