//! Whether the built-in model is what the build read.

use std::path::Path;

use crate::error::{Error, Result};

// `FILES: [(&str, u32); N]`: each file of the model with its CRC-32, by the build script.
include!(concat!(env!("OUT_DIR"), "/checksums.rs"));

/// Compares files with the build's checksums; `contents` are those of `FILES`, in that order.
///
/// # Errors
///
/// [`Error::Model`] with the name of a file that differs.
pub(super) fn verify(contents: [&[u8]; FILES.len()]) -> Result<()> {
    for ((name, expected), bytes) in FILES.iter().zip(contents) {
        let found = crc32fast::hash(bytes);
        if found != *expected {
            let reason = format!(
                "the checksum is {found:08x}, was {expected:08x} when the program was built: its file is damaged"
            );
            return Err(Error::model(Path::new(name), reason));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;

    #[test]
    fn the_built_in_model_is_intact_and_another_is_not() {
        Model::verify_builtin().unwrap();
        let error = verify([b"other"; FILES.len()]).unwrap_err();
        assert!(error.to_string().starts_with(FILES[0].0), "{error}");
    }
}
