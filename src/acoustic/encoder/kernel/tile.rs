//! What the kernels of this module have in common: a tile of sums, and tract's steps on it.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::tract_linalg::mmm::{
    DynKernel, FusedKerSpec, MatMatMul, OutputStoreKer,
};
use tract_onnx::tract_core::tract_linalg::pack::PackedFormat;

/// The packing of both operands that is of 8-bit integers: for each place along the depth as many as a
/// tile has rows, or columns.
pub const PACKING: usize = 1;
/// The status of a kernel that could not compute what it was asked for.
const FAILED: isize = 1;

/// Sums, column by column.
pub type Tile<const ROWS: usize, const COLUMNS: usize> = [[i32; ROWS]; COLUMNS];

/// Adds to a tile the products of packed rows and columns.
///
/// Arguments: the tile, the depth, the rows, the columns. Safety: `ROWS · depth` and `COLUMNS · depth` bytes
/// can be read, and the processor has the instructions that the function is compiled for.
pub type AddProducts<const ROWS: usize, const COLUMNS: usize> =
    unsafe fn(&mut Tile<ROWS, COLUMNS>, usize, *const i8, *const i8);

/// A kernel for tract's driver of matrix products, which packs the operands and cuts the edges.
pub fn kernel<const ROWS: usize, const COLUMNS: usize>(
    name: &str,
    run: unsafe fn(&[FusedKerSpec<i32>]) -> isize,
) -> Box<dyn MatMatMul> {
    let packing = |dt: DatumType, r| PackedFormat::new(dt, r, dt.size_of());
    let [wide, narrow] = [i32::datum_type(), i8::datum_type()];
    let (rows, columns) = (packing(wide, ROWS), packing(wide, COLUMNS));
    let kernel = DynKernel::<ROWS, COLUMNS, i32>::new(name, run, rows, columns);
    kernel.with_packing(packing(narrow, ROWS), packing(narrow, COLUMNS)).mmm()
}

/// Computes a tile: the steps up to `Done`.
///
/// # Safety
///
/// The pointers are tract's, to packed rows and columns and to a tile that may be written, and `add` may be
/// called.
#[allow(unsafe_code)] // tract's kernels are given pointers.
pub unsafe fn run<const ROWS: usize, const COLUMNS: usize>(
    steps: &[FusedKerSpec<i32>],
    add: AddProducts<ROWS, COLUMNS>,
) -> isize {
    let mut tile = [[0; ROWS]; COLUMNS];
    for step in steps {
        match *step {
            FusedKerSpec::Done => break,
            FusedKerSpec::Clear => tile = [[0; ROWS]; COLUMNS],
            // SAFETY: as above.
            FusedKerSpec::AddMatMul { k, pa, pb, packing: PACKING } => unsafe {
                add(&mut tile, k, pa.cast(), pb.cast());
            },
            // SAFETY: as above.
            FusedKerSpec::Store(to) if to.item_size == size_of::<i32>() => unsafe {
                store(&tile, to);
            },
            _ => return FAILED,
        }
    }
    0
}

/// Writes the sums.
///
/// # Safety
///
/// `to` has as many rows and columns of `i32` that may be written.
#[allow(unsafe_code)]
unsafe fn store<const ROWS: usize, const COLUMNS: usize>(
    tile: &Tile<ROWS, COLUMNS>,
    to: OutputStoreKer,
) {
    for (column, sums) in (0..).zip(tile) {
        for (row, value) in (0..).zip(sums) {
            let at = row * to.row_byte_stride + column * to.col_byte_stride;
            // SAFETY: it is in the tile.
            unsafe { to.ptr.offset(at).cast::<i32>().write_unaligned(*value) };
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// As many integers for each of `depth`, the extremes among them.
    fn packed(width: usize, depth: usize, seed: usize) -> Vec<i8> {
        let value = |i: usize| match (i * 7 + seed) % 5 {
            0 => i8::MIN,
            1 => i8::MAX,
            _ => (i * 37 + seed * 11) as i8,
        };
        (0..width * depth).map(value).collect()
    }

    /// Holds a kernel's sums to their definition, at even and odd depths.
    ///
    /// # Safety
    ///
    /// The processor has the kernel's instructions.
    #[allow(unsafe_code)]
    pub unsafe fn check_sums<const ROWS: usize, const COLUMNS: usize>(
        kernel: unsafe fn(&[FusedKerSpec<i32>]) -> isize,
    ) {
        for depth in [1, 2, 3, 64, 577] {
            let (rows, columns) = (packed(ROWS, depth, 1), packed(COLUMNS, depth, 4));
            let mut tile = [[0i32; COLUMNS]; ROWS];
            let steps = [
                FusedKerSpec::Clear,
                FusedKerSpec::AddMatMul {
                    k: depth,
                    pa: rows.as_ptr().cast(),
                    pb: columns.as_ptr().cast(),
                    packing: PACKING,
                },
                FusedKerSpec::Store(OutputStoreKer {
                    ptr: tile.as_mut_ptr().cast(),
                    row_byte_stride: size_of::<[i32; COLUMNS]>() as isize,
                    col_byte_stride: size_of::<i32>() as isize,
                    item_size: size_of::<i32>(),
                }),
                FusedKerSpec::Done,
            ];
            // SAFETY: there are `depth` times as many integers as the tile has rows, and columns.
            assert_eq!(unsafe { kernel(&steps) }, 0);
            for (row, sums) in tile.iter().enumerate() {
                for (column, &sum) in sums.iter().enumerate() {
                    let product = |i| {
                        i32::from(rows[ROWS * i + row]) * i32::from(columns[COLUMNS * i + column])
                    };
                    assert_eq!(
                        sum,
                        (0..depth).map(product).sum::<i32>(),
                        "{depth}: {row}, {column}"
                    );
                }
            }
        }
    }

    /// tract's errors are not to be passed over.
    #[test]
    #[allow(unsafe_code)]
    fn an_unknown_step_fails() {
        unsafe fn add(_: &mut Tile<8, 4>, _: usize, _: *const i8, _: *const i8) {}
        // SAFETY: nothing is read or written.
        let status = unsafe { run(&[FusedKerSpec::ScalarAdd(1), FusedKerSpec::Done], add) };
        assert_eq!(status, FAILED);
    }
}
