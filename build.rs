//! Refuses a system that Mynah does not run on, before its dependencies are built for it, and makes the
//! program smaller where the linker can.

use std::env;

fn main() {
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
}

fn target(property: &str) -> String {
    env::var(format!("CARGO_CFG_TARGET_{property}")).unwrap_or_default()
}
