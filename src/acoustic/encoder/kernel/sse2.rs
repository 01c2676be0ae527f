//! Sums of products of 8-bit integers for x86-64 processors without AVX2: with SSE2, which all have.
//!
//! tract has a portable kernel for those without AVX, which takes a multiplication for each product. Here
//! `pmaddwd` takes one for eight. Where there is AVX the same is compiled to its instructions, which take three
//! operands: a single pass takes about a sixth less time.

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_cvtsi32_si128, _mm_loadl_epi64, _mm_loadu_si128, _mm_madd_epi16,
    _mm_setzero_si128, _mm_shuffle_epi32, _mm_srai_epi16, _mm_srli_epi64, _mm_srli_si128,
    _mm_storeu_si128, _mm_unpackhi_epi8, _mm_unpacklo_epi8, _mm256_zeroupper,
};

use tract_onnx::tract_core::tract_linalg::mmm::{FusedKerSpec, MatMatMul};

use super::tile::{self, Tile};

/// Rows of a tile: two vectors of sums a column.
const ROWS: usize = 8;
/// Columns of a tile, so that all sums stay in registers.
const COLUMNS: usize = 4;

/// For all x86-64 processors.
pub fn kernel() -> Box<dyn MatMatMul> {
    tile::kernel::<ROWS, COLUMNS>("sse2_madd_i32_8x4", run)
}

/// For processors that have AVX.
pub fn avx_kernel() -> Box<dyn MatMatMul> {
    tile::kernel::<ROWS, COLUMNS>("avx_madd_i32_8x4", run_avx)
}

/// # Safety
///
/// That of [`tile::run`].
#[allow(unsafe_code)] // tract's kernels are given pointers.
unsafe fn run(steps: &[FusedKerSpec<i32>]) -> isize {
    // SAFETY: as above.
    unsafe { tile::run(steps, add_products) }
}

/// # Safety
///
/// The processor has AVX, and that of [`tile::run`].
#[allow(unsafe_code)]
unsafe fn run_avx(steps: &[FusedKerSpec<i32>]) -> isize {
    // SAFETY: as above.
    unsafe { tile::run(steps, add_products_avx) }
}

/// # Safety
///
/// The processor has AVX, and that of [`tile::AddProducts`].
#[target_feature(enable = "avx")]
#[allow(unsafe_code)]
unsafe fn add_products_avx(
    tile: &mut Tile<ROWS, COLUMNS>,
    depth: usize,
    rows: *const i8,
    columns: *const i8,
) {
    _mm256_zeroupper();
    // SAFETY: as above.
    unsafe { add_products(tile, depth, rows, columns) };
}

/// # Safety
///
/// That of [`tile::AddProducts`].
#[inline]
#[target_feature(enable = "sse2")]
#[allow(unsafe_code)]
unsafe fn add_products(
    tile: &mut Tile<ROWS, COLUMNS>,
    depth: usize,
    rows: *const i8,
    columns: *const i8,
) {
    let mut sums = Sums::zero();
    let even = depth - depth % 2;
    for at in (0..even).step_by(2) {
        // SAFETY: two places have 16 bytes of rows and 8 of columns.
        let (rows, columns) = unsafe {
            let rows = _mm_loadu_si128(rows.add(ROWS * at).cast());
            (rows, _mm_loadl_epi64(columns.add(COLUMNS * at).cast()))
        };
        sums.add_pair(rows, columns);
    }
    if even < depth {
        // SAFETY: the last place has 8 bytes of rows and 4 of columns.
        let (rows, columns) = unsafe {
            let columns = columns.add(COLUMNS * even).cast::<i32>().read_unaligned();
            (_mm_loadl_epi64(rows.add(ROWS * even).cast()), _mm_cvtsi32_si128(columns))
        };
        sums.add_pair(rows, columns);
    }
    sums.add_to(tile);
}

/// Of each column the sums of rows 0 to 3, and of rows 4 to 7.
struct Sums([[__m128i; 2]; COLUMNS]);

impl Sums {
    #[inline]
    #[target_feature(enable = "sse2")]
    fn zero() -> Self {
        Self([[_mm_setzero_si128(); 2]; COLUMNS])
    }

    /// Adds the products of two places, the second of which may be zeros: rows and columns of the first,
    /// then those of the second.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn add_pair(&mut self, rows: __m128i, columns: __m128i) {
        let rows = _mm_unpacklo_epi8(rows, _mm_srli_si128::<8>(rows));
        let columns = widen_low(_mm_unpacklo_epi8(columns, _mm_srli_epi64::<32>(columns)));
        let rows = [widen_low(rows), widen_high(rows)];
        let columns = [
            _mm_shuffle_epi32::<0x00>(columns),
            _mm_shuffle_epi32::<0x55>(columns),
            _mm_shuffle_epi32::<0xaa>(columns),
            _mm_shuffle_epi32::<0xff>(columns),
        ];
        for (sums, column) in self.0.iter_mut().zip(columns) {
            for (sum, rows) in sums.iter_mut().zip(rows) {
                *sum = _mm_add_epi32(*sum, _mm_madd_epi16(rows, column));
            }
        }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    #[allow(unsafe_code)]
    fn add_to(self, tile: &mut Tile<ROWS, COLUMNS>) {
        for (column, sums) in tile.iter_mut().zip(self.0) {
            for (rows, sums) in column.chunks_exact_mut(4).zip(sums) {
                let rows = rows.as_mut_ptr().cast::<__m128i>();
                // SAFETY: four sums are the 16 bytes of the vector.
                unsafe { _mm_storeu_si128(rows, _mm_add_epi32(_mm_loadu_si128(rows), sums)) };
            }
        }
    }
}

/// The lower eight bytes as integers of 16 bits.
#[inline]
#[target_feature(enable = "sse2")]
fn widen_low(bytes: __m128i) -> __m128i {
    _mm_srai_epi16::<8>(_mm_unpacklo_epi8(_mm_setzero_si128(), bytes))
}

/// The upper eight bytes as integers of 16 bits.
#[inline]
#[target_feature(enable = "sse2")]
fn widen_high(bytes: __m128i) -> __m128i {
    _mm_srai_epi16::<8>(_mm_unpackhi_epi8(_mm_setzero_si128(), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(unsafe_code)]
    fn a_tile_has_the_sums_of_the_products() {
        // SAFETY: all x86-64 processors have SSE2.
        unsafe { tile::tests::check_sums::<ROWS, COLUMNS>(run) };
        if is_x86_feature_detected!("avx") {
            // SAFETY: the processor has AVX.
            unsafe { tile::tests::check_sums::<ROWS, COLUMNS>(run_avx) };
        } else {
            eprintln!("not tested: this processor has no AVX");
        }
    }
}
