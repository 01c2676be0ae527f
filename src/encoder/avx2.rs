//! Sums of products of 8-bit integers for x86-64 processors that have AVX2 but no instruction for them.
//!
//! tract's kernel for these, `avx2_mmm_i32_8x8`, reads its operands with an SSE instruction between AVX ones, where
//! some processors stall for hundreds of cycles in each step. This one keeps to AVX, and multiplies pairs by
//! `vpmaddwd`, which takes two fifths of the instructions.

use std::any::Any;
use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadl_epi64, _mm_setzero_si128, _mm_unpacklo_epi8, _mm256_add_epi32,
    _mm256_cvtepi8_epi16, _mm256_madd_epi16, _mm256_set1_epi32, _mm256_setzero_si256,
    _mm256_storeu_si256,
};

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::matmul::optimized::{OptMatMul, ProtoFusedSpec};
use tract_onnx::tract_core::tract_linalg::mmm::{DynKernel, FusedKerSpec, OutputStoreKer};

/// The kernel that this one takes the place of.
const SLOW: &str = "avx2_mmm_i32_8x8";
/// Its own name.
const NAME: &str = "avx2_madd_i32_8x8";
/// Rows and columns of a tile.
const TILE: usize = 8;
/// Which of tract's packings of its operands is of 8-bit integers: eight after eight.
const PACKING: usize = 1;
/// What tract takes for failure.
const FAILED: isize = 1;

/// Has the matrix products that tract would compute by its slow kernel computed by this one.
pub fn replace_kernels(model: &mut TypedModel) {
    for product in model.nodes.iter_mut().filter_map(|node| node.op_as_mut::<OptMatMul>()) {
        if !product.micro_ops.iter().all(is_computed) {
            continue;
        }
        for kernel in product.mmm.iter_mut().filter(|kernel| kernel.name() == SLOW) {
            let kernel: &mut dyn Any = &mut **kernel;
            if let Some(kernel) = kernel.downcast_mut::<DynKernel<TILE, TILE, i32>>() {
                kernel.kernel = run;
                NAME.clone_into(&mut kernel.name);
            }
        }
    }
}

/// Whether the kernel can do it: a product of 8-bit integers, or storing the sums.
fn is_computed(micro_op: &ProtoFusedSpec) -> bool {
    match micro_op {
        ProtoFusedSpec::AddMatMul { packings, .. } => {
            packings.iter().all(|(packing, extractor)| *packing == PACKING && extractor.is_none())
        }
        ProtoFusedSpec::Store(_) => true,
        _ => false,
    }
}

/// Computes a tile: what tract asks of it, up to `Done`.
///
/// # Safety
///
/// The processor has AVX2; the pointers are tract's, to `k` packed rows and columns, and to a tile that may be written.
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)] // tract's kernels are given pointers.
unsafe fn run(steps: &[FusedKerSpec<i32>]) -> isize {
    // SAFETY: as above.
    unsafe {
        let mut sums = [_mm256_setzero_si256(); TILE];
        for step in steps {
            match *step {
                FusedKerSpec::Done => break,
                FusedKerSpec::Clear => sums = [_mm256_setzero_si256(); TILE],
                FusedKerSpec::AddMatMul { k, pa, pb, packing: PACKING } => {
                    add_products(&mut sums, k, pa, pb);
                }
                FusedKerSpec::Store(tile) if tile.item_size == size_of::<i32>() => {
                    store(&sums, tile)
                }
                _ => return FAILED,
            }
        }
    }
    0
}

/// Adds the products of `k` packed columns `a` and rows `b`, each of eight integers.
///
/// # Safety
///
/// The processor has AVX2, and 8·k bytes can be read at `a` and at `b`.
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
unsafe fn add_products(sums: &mut [__m256i; TILE], k: usize, a: *const u8, b: *const u8) {
    let mut at = 0;
    while at < k {
        // SAFETY: `at` is less than `k`, and the second of a pair is only read if there is one.
        let (a, b) = unsafe { (pair(a, at, k), pair(b, at, k)) };
        let mut columns = [0i32; TILE];
        // SAFETY: the array has the 32 bytes of the vector.
        unsafe { _mm256_storeu_si256(columns.as_mut_ptr().cast(), b) };
        for (sum, column) in sums.iter_mut().zip(columns) {
            let products = _mm256_madd_epi16(a, _mm256_set1_epi32(column));
            *sum = _mm256_add_epi32(*sum, products);
        }
        at += 2;
    }
}

/// The eight integers at `at` and the next eight, zeros past the end, side by side in 16 bits.
///
/// # Safety
///
/// The processor has AVX2, `at` is less than `k`, and 8·k bytes can be read at `packed`.
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
unsafe fn pair(packed: *const u8, at: usize, k: usize) -> __m256i {
    // SAFETY: both places are among the `k`.
    let eight = |at: usize| unsafe { _mm_loadl_epi64(packed.add(TILE * at).cast::<__m128i>()) };
    let second = if at + 1 < k { eight(at + 1) } else { _mm_setzero_si128() };
    _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(eight(at), second))
}

/// Writes the sums, each a column of eight rows.
///
/// # Safety
///
/// The tile has eight rows and columns of `i32` that may be written.
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
unsafe fn store(sums: &[__m256i; TILE], tile: OutputStoreKer) {
    for (column, sums) in (0..).zip(sums) {
        let mut values = [0i32; TILE];
        // SAFETY: the array has the 32 bytes of the vector.
        unsafe { _mm256_storeu_si256(values.as_mut_ptr().cast(), *sums) };
        for (row, value) in (0..).zip(values) {
            let at = row * tile.row_byte_stride + column * tile.col_byte_stride;
            // SAFETY: it is in the tile.
            unsafe { tile.ptr.offset(at).cast::<i32>().write_unaligned(value) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Model, Precision};

    /// Eight integers for each of `k`, the extremes among them.
    fn packed(k: usize, seed: usize) -> Vec<i8> {
        let value = |i: usize| match (i * 7 + seed) % 5 {
            0 => i8::MIN,
            1 => i8::MAX,
            _ => (i * 37 + seed * 11) as i8,
        };
        (0..TILE * k).map(value).collect()
    }

    #[test]
    #[allow(unsafe_code)]
    fn a_tile_has_the_sums_of_the_products() {
        if !is_x86_feature_detected!("avx2") {
            return;
        }
        for k in [1, 2, 3, 64, 577] {
            let (a, b) = (packed(k, 1), packed(k, 4));
            let mut tile = [0i32; TILE * TILE];
            let steps = [
                FusedKerSpec::Clear,
                FusedKerSpec::AddMatMul {
                    k,
                    pa: a.as_ptr().cast(),
                    pb: b.as_ptr().cast(),
                    packing: PACKING,
                },
                FusedKerSpec::Store(OutputStoreKer {
                    ptr: tile.as_mut_ptr().cast(),
                    row_byte_stride: 32,
                    col_byte_stride: 4,
                    item_size: 4,
                }),
                FusedKerSpec::Done,
            ];
            // SAFETY: there are k times eight integers and a tile of 64 sums.
            assert_eq!(unsafe { run(&steps) }, 0);
            for (row, sums) in tile.chunks(TILE).enumerate() {
                for (column, &sum) in sums.iter().enumerate() {
                    let product =
                        |i| i32::from(a[TILE * i + row]) * i32::from(b[TILE * i + column]);
                    assert_eq!(sum, (0..k).map(product).sum::<i32>(), "{k}: {row}, {column}");
                }
            }
        }
    }

    /// Another tract may call its kernel otherwise.
    #[test]
    fn the_encoder_does_without_the_slow_kernel() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/random");
        let kernels = Model::load(dir, Precision::Int8).unwrap().encoder().matrix_kernels();
        assert!(!kernels.contains_key(SLOW), "{kernels:?}");
    }

    /// tract's errors are not to be passed over.
    #[test]
    #[allow(unsafe_code)]
    fn what_it_does_not_compute_fails() {
        // SAFETY: nothing is read or written.
        assert_eq!(unsafe { run(&[FusedKerSpec::ScalarAdd(1), FusedKerSpec::Done]) }, FAILED);
    }
}
