//! Sums of products of 8-bit integers for x86-64 processors that have AVX2 but no instruction for them.
//!
//! tract's kernel for these, `avx2_mmm_i32_8x8`, reads its operands with an SSE instruction between AVX ones, where
//! some processors stall for hundreds of cycles in each step. This one keeps to AVX, and multiplies pairs by
//! `vpmaddwd`, which takes two fifths of the instructions.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadl_epi64, _mm_loadu_si128, _mm_setzero_si128, _mm_srli_si128,
    _mm_unpacklo_epi8, _mm256_add_epi32, _mm256_cvtepi8_epi16, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256,
};

use tract_onnx::tract_core::tract_linalg::mmm::{FusedKerSpec, MatMatMul};

use super::tile::{self, Tile};

/// Rows and columns of a tile.
const SIDE: usize = 8;

/// For processors that have AVX2.
pub fn kernel() -> Box<dyn MatMatMul> {
    tile::kernel::<SIDE, SIDE>("avx2_madd_i32_8x8", run)
}

/// The same for one column, with the same packed rows.
pub fn column_kernel() -> Box<dyn MatMatMul> {
    tile::kernel::<SIDE, 1>("avx2_madd_i32_8x1", run_column)
}

/// # Safety
///
/// The processor has AVX2, and that of [`tile::run`].
#[allow(unsafe_code)] // tract's kernels are given pointers.
unsafe fn run_column(steps: &[FusedKerSpec<i32>]) -> isize {
    // SAFETY: as above.
    unsafe { tile::run(steps, add_column) }
}

/// # Safety
///
/// The processor has AVX2, and that of [`tile::run`].
#[allow(unsafe_code)] // tract's kernels are given pointers.
unsafe fn run(steps: &[FusedKerSpec<i32>]) -> isize {
    // SAFETY: as above.
    unsafe { tile::run(steps, add_products) }
}

/// # Safety
///
/// That of [`tile::AddProducts`].
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
unsafe fn add_products(
    tile: &mut Tile<SIDE, SIDE>,
    depth: usize,
    rows: *const i8,
    columns: *const i8,
) {
    // SAFETY: each column of the tile has the 32 bytes of the vector.
    let mut sums = tile.map(|column| unsafe { _mm256_loadu_si256(column.as_ptr().cast()) });
    let mut at = 0;
    while at < depth {
        // SAFETY: `at` is less than `depth`.
        let (rows, columns) = unsafe { (pair(rows, at, depth), pair(columns, at, depth)) };
        let mut pairs = [0i32; SIDE];
        // SAFETY: the array has the 32 bytes of the vector.
        unsafe { _mm256_storeu_si256(pairs.as_mut_ptr().cast(), columns) };
        // Loads spread a pair over a vector in one instruction, where the compiler would take two for it.
        let pairs = std::hint::black_box(pairs);
        for (sum, pair) in sums.iter_mut().zip(pairs) {
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(rows, _mm256_set1_epi32(pair)));
        }
        at += 2;
    }
    for (column, sum) in tile.iter_mut().zip(sums) {
        // SAFETY: the column has the 32 bytes of the vector.
        unsafe { _mm256_storeu_si256(column.as_mut_ptr().cast(), sum) };
    }
}

/// # Safety
///
/// That of [`tile::AddProducts`].
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
unsafe fn add_column(tile: &mut Tile<SIDE, 1>, depth: usize, rows: *const i8, column: *const i8) {
    /// Sums kept apart, so that no addition waits for the one before.
    const SUMS: usize = 4;
    let mut sums = [_mm256_setzero_si256(); SUMS];
    // SAFETY: the places are less than `depth`.
    let factors = |at: usize, count: usize| unsafe {
        let low = i32::from(*column.add(at)) & 0xffff;
        let high = if count > 1 { i32::from(*column.add(at + 1)) << 16 } else { 0 };
        _mm256_set1_epi32(low | high)
    };
    let mut at = 0;
    while at + 2 * SUMS <= depth {
        for (pair, sum) in (at..).step_by(2).zip(&mut sums) {
            // SAFETY: `pair` + 1 is less than `depth`.
            let both = unsafe { _mm_loadu_si128(rows.add(SIDE * pair).cast()) };
            let both = _mm_unpacklo_epi8(both, _mm_srli_si128::<{ SIDE as i32 }>(both));
            let products = _mm256_madd_epi16(_mm256_cvtepi8_epi16(both), factors(pair, 2));
            *sum = _mm256_add_epi32(*sum, products);
        }
        at += 2 * SUMS;
    }
    while at < depth {
        // SAFETY: `at` is less than `depth`.
        let both = unsafe { pair(rows, at, depth) };
        let products = _mm256_madd_epi16(both, factors(at, depth - at));
        sums[0] = _mm256_add_epi32(sums[0], products);
        at += 2;
    }
    let [column] = tile;
    // SAFETY: the column has the 32 bytes of the vector.
    let before = unsafe { _mm256_loadu_si256(column.as_ptr().cast()) };
    let sum = sums.into_iter().fold(before, |sum, more| _mm256_add_epi32(sum, more));
    // SAFETY: as above.
    unsafe { _mm256_storeu_si256(column.as_mut_ptr().cast(), sum) };
}

/// The eight integers at `at` and the next eight, zeros past the end, side by side in 16 bits.
///
/// # Safety
///
/// The processor has AVX2, `at` is less than `depth`, and 8·depth bytes can be read at `packed`.
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
unsafe fn pair(packed: *const i8, at: usize, depth: usize) -> __m256i {
    // SAFETY: both places are among the `depth`.
    let eight = |at: usize| unsafe { _mm_loadl_epi64(packed.add(SIDE * at).cast::<__m128i>()) };
    let second = if at + 1 < depth { eight(at + 1) } else { _mm_setzero_si128() };
    _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(eight(at), second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(unsafe_code)]
    fn a_tile_has_the_sums_of_the_products() {
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            unsafe { tile::tests::check_sums::<SIDE, SIDE>(run) };
            // SAFETY: as above.
            unsafe { tile::tests::check_sums::<SIDE, 1>(run_column) };
        } else {
            eprintln!("not tested: this processor has no AVX2");
        }
    }
}
