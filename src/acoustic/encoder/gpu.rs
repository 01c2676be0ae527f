//! The GPU, through tract's runtimes for CUDA and Metal, which load the vendor's libraries when
//! they are asked for.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::TractErrorContext;

// Linked for the runtime that it registers.
#[cfg(feature = "cuda")]
use tract_cuda as _;
#[cfg(all(feature = "metal", target_vendor = "apple"))]
use tract_metal as _;

/// A GPU that can be used.
#[derive(Clone, Copy)]
pub struct Gpu(&'static dyn Runtime);

impl Gpu {
    /// Whether this build can use any.
    pub const SUPPORTED: bool =
        cfg!(any(feature = "cuda", all(feature = "metal", target_vendor = "apple")));

    /// Finds one, or says why none can be used.
    pub fn find() -> Result<Self, String> {
        if !Self::SUPPORTED {
            return Err("this build has no support for one; enable the feature `cuda` (NVIDIA) or, on a Mac, \
                        `metal`"
                .to_owned());
        }
        match runtime_for_name("gpu") {
            Ok(Some(runtime)) => Ok(Self(runtime)),
            Ok(None) => Err("tract knows none".to_owned()),
            Err(e) => Err(format!("{e:#}").replace('\n', " ")),
        }
    }

    /// What tract calls it: `cuda` or `metal`.
    pub fn name(self) -> String {
        self.0.name().into_owned()
    }

    /// Gives the graph as the GPU runs it.
    pub fn prepare(self, model: TypedModel) -> TractResult<Arc<TypedRunnableModel>> {
        let runnable = self.0.prepare(model.into_decluttered()?)?;
        runnable.typed_plan().cloned().context("the GPU's runtime gives no plan")
    }
}
