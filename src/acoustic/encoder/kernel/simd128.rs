//! Sums of products of 8-bit integers for WebAssembly with 128-bit vectors.
//!
//! tract's kernel for these takes a multiplication of 32-bit integers for four products. Here `i32x4.dot_i16x8_s` takes
//! one for eight, and adds pairs of them.

use std::arch::wasm32::{
    i8x16_shuffle, i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_add, i32x4_dot_i16x8,
    i32x4_shuffle, i32x4_splat, v128, v128_load, v128_load32_zero, v128_load64_zero, v128_store,
};

use tract_onnx::tract_core::tract_linalg::mmm::{FusedKerSpec, MatMatMul};

use super::tile::{self, Tile};

/// Rows of a tile: two vectors of sums a column.
const ROWS: usize = 8;
/// Columns of a tile, so that all sums stay in the registers of x86-64.
const COLUMNS: usize = 4;

/// For modules that are compiled with `simd128`.
pub fn kernel() -> Box<dyn MatMatMul> {
    tile::kernel::<ROWS, COLUMNS>("wasm_dot_i32_8x4", run)
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
/// That of [`tile::AddProducts`].
#[allow(unsafe_code)]
unsafe fn add_products(
    tile: &mut Tile<ROWS, COLUMNS>,
    depth: usize,
    rows: *const i8,
    columns: *const i8,
) {
    let mut sums = [[i32x4_splat(0); 2]; COLUMNS];
    let even = depth - depth % 2;
    for at in (0..even).step_by(2) {
        // SAFETY: two places have 16 bytes of rows and 8 of columns.
        let (rows, columns) = unsafe {
            let rows = v128_load(rows.add(ROWS * at).cast());
            (rows, v128_load64_zero(columns.add(COLUMNS * at).cast()))
        };
        add_pair(&mut sums, rows, columns);
    }
    if even < depth {
        // SAFETY: the last place has 8 bytes of rows and 4 of columns.
        let (rows, columns) = unsafe {
            let rows = v128_load64_zero(rows.add(ROWS * even).cast());
            (rows, v128_load32_zero(columns.add(COLUMNS * even).cast()))
        };
        add_pair(&mut sums, rows, columns);
    }
    for (column, sums) in tile.iter_mut().zip(sums) {
        for (rows, sums) in column.chunks_exact_mut(4).zip(sums) {
            let rows = rows.as_mut_ptr().cast::<v128>();
            // SAFETY: four sums are the 16 bytes of the vector.
            unsafe { v128_store(rows, i32x4_add(v128_load(rows), sums)) };
        }
    }
}

/// Adds the products of two places, the second of which may be zeros: rows and columns of the first, then those of
/// the second. Of each column `sums` has those of rows 0 to 3, and of rows 4 to 7.
#[inline]
fn add_pair(sums: &mut [[v128; 2]; COLUMNS], rows: v128, columns: v128) {
    let rows = i8x16_shuffle::<0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15>(rows, rows);
    let rows = [i16x8_extend_low_i8x16(rows), i16x8_extend_high_i8x16(rows)];
    let columns = i8x16_shuffle::<0, 4, 1, 5, 2, 6, 3, 7, 0, 4, 1, 5, 2, 6, 3, 7>(columns, columns);
    let columns = i16x8_extend_low_i8x16(columns);
    let columns = [
        i32x4_shuffle::<0, 0, 0, 0>(columns, columns),
        i32x4_shuffle::<1, 1, 1, 1>(columns, columns),
        i32x4_shuffle::<2, 2, 2, 2>(columns, columns),
        i32x4_shuffle::<3, 3, 3, 3>(columns, columns),
    ];
    for (sums, column) in sums.iter_mut().zip(columns) {
        for (sum, rows) in sums.iter_mut().zip(rows) {
            *sum = i32x4_add(*sum, i32x4_dot_i16x8(rows, column));
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// `bindings/wasm/tests/kernel.rs` runs it.
    #[allow(unsafe_code)]
    pub fn a_tile_has_the_sums_of_the_products() {
        // SAFETY: the module is compiled with `simd128`.
        unsafe { tile::tests::check_sums::<ROWS, COLUMNS>(run) };
    }
}
