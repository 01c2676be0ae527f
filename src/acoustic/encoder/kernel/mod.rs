//! The kernels of 8-bit matrix products: tract's, but for WebAssembly and for x86-64 processors without instructions
//! for dot products of 8-bit integers, where those of this module are several times as fast.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(target_arch = "x86_64")]
mod sse2;
#[cfg(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))]
mod tile;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::format_err;
use tract_onnx::tract_core::tract_linalg::mmm::{MatMatMul, MmmDispatch, Query};

/// A kernel and the packing of its operands that is of 8-bit integers.
#[derive(Clone, Debug)]
pub struct Kernel {
    pub product: Box<dyn MatMatMul>,
    pub packing: usize,
}

impl Kernel {
    /// The kernel for weights `[rows, depth]` on this processor, or on what `TRACT_CPU_ISA` leaves of it.
    ///
    /// The number of columns does not matter unless it is one: graphs that differ in the length of a chunk
    /// can share the packed weights. This module's kernels read the same packed weights also for one.
    pub fn choose(rows: usize, depth: usize, columns: usize) -> TractResult<Self> {
        let columns = (columns == 1).then_some(1);
        let mut query = Query::plain(i32::datum_type(), Some(rows), Some(depth), columns);
        query.allow_extractor = false;
        let (product, packing, _) = MmmDispatch::native()
            .pick(&query)
            .ok_or_else(|| format_err!("tract has no kernel for products of 8-bit integers"))?;
        Ok(Self::faster_than(&*product, columns).unwrap_or(Self { product, packing }))
    }

    /// This module's kernel where tract's needs nothing above AVX2, and so has no dot products.
    #[cfg(target_arch = "x86_64")]
    fn faster_than(tracts: &dyn MatMatMul, columns: Option<usize>) -> Option<Self> {
        use tract_onnx::tract_core::tract_linalg::isa::{Isa, native};
        if tracts.isa().level() > Isa::X86_64Avx2.level() {
            return None;
        }
        // What is asked for besides must be there too.
        let has_avx2 = native().has(Isa::X86_64Avx2) && is_x86_feature_detected!("avx2");
        let has_avx = native().has(Isa::X86_64Avx) && is_x86_feature_detected!("avx");
        let product = match (has_avx2, has_avx) {
            (true, _) if columns == Some(1) => avx2::column_kernel(),
            (true, _) => avx2::kernel(),
            (false, true) => sse2::avx_kernel(),
            (false, false) => sse2::kernel(),
        };
        Some(Self { product, packing: tile::PACKING })
    }

    /// This module's kernel.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    fn faster_than(_: &dyn MatMatMul, _: Option<usize>) -> Option<Self> {
        Some(Self { product: simd128::kernel(), packing: tile::PACKING })
    }

    #[cfg(not(any(
        target_arch = "x86_64",
        all(target_arch = "wasm32", target_feature = "simd128")
    )))]
    fn faster_than(_: &dyn MatMatMul, _: Option<usize>) -> Option<Self> {
        None
    }
}

impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        self.product.name() == other.product.name() && self.packing == other.packing
    }
}

impl Eq for Kernel {}
