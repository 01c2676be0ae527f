//! The encoder of the second pass, which may still be loading while the first one hears.

use std::sync::{Arc, LazyLock};

use crate::encoder::Encoder;
use crate::{Error, Result};

type Load = Box<dyn FnOnce() -> Result<Encoder> + Send>;

/// The encoder of finals. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SecondEncoder {
    /// The frames of its chunks.
    pub chunk_frames: usize,
    encoder: Arc<LazyLock<Result<Encoder>, Load>>,
}

impl SecondEncoder {
    /// One that is at hand.
    pub fn loaded(encoder: Encoder, chunk_frames: usize) -> Self {
        let load: Load = Box::new(|| Ok(encoder));
        Self { chunk_frames, encoder: Arc::new(LazyLock::new(load)) }
    }

    /// One that a thread of its own loads from now on; without a thread the first use loads it.
    #[cfg(feature = "builtin-model")]
    pub fn loading(
        chunk_frames: usize,
        load: impl FnOnce() -> Result<Encoder> + Send + 'static,
    ) -> Self {
        let load: Load = Box::new(load);
        let encoder = Arc::new(LazyLock::new(load));
        let loading = encoder.clone();
        let thread = std::thread::Builder::new().name("second encoder".to_owned());
        if let Err(reason) = thread.spawn(move || LazyLock::force(&loading).is_ok()) {
            log::debug!("loading the second encoder later: {reason}");
        }
        Self { chunk_frames, encoder }
    }

    /// Gives the encoder; waits while it is loading.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with the reason if it could not be loaded.
    pub fn get(&self) -> Result<&Encoder> {
        LazyLock::force(&self.encoder).as_ref().map_err(|e| Error::Config(e.to_string()))
    }
}

#[cfg(all(test, feature = "builtin-model"))]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_loaded_is_told_each_time() {
        let second = SecondEncoder::loading(4, || Err(Error::Config("no encoder".to_owned())));
        for _ in 0..2 {
            assert_eq!(second.get().err().map(|e| e.to_string()).as_deref(), Some("no encoder"));
        }
    }
}
