//! The kernel of integer products for WebAssembly, which is private to the library. The library's own tests can't run for
//! this target: they need processes and threads.

#![allow(dead_code, missing_docs, clippy::undocumented_unsafe_blocks)]

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[path = "../../../src/acoustic/encoder/kernel/simd128.rs"]
mod simd128;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[path = "../../../src/acoustic/encoder/kernel/tile.rs"]
mod tile;

/// Panics where sums are wrong.
fn main() {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    simd128::tests::a_tile_has_the_sums_of_the_products();
}
