//! Files that are read as a whole, up to the size that one of their kind may have.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::error::{Error, Result};

/// Reads a file of at most so many bytes.
///
/// # Errors
///
/// [`Error::Io`] if it can't be read, and [`Error::Model`] with the limit if it goes on: a device, say, has no end.
pub(crate) fn read(path: &Path, most_bytes: u64) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let known = file.metadata().map_or(0, |metadata| metadata.len()).min(most_bytes);
    let mut bytes = Vec::with_capacity(usize::try_from(known).unwrap_or(0));
    file.take(most_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io(path, e))?;
    if bytes.len() as u64 > most_bytes {
        let reason = format!(
            "is larger than {most_bytes} bytes, the most that are taken; is it the right file?"
        );
        return Err(Error::model(path, reason));
    }
    Ok(bytes)
}

/// Reads a text of at most so many bytes.
///
/// # Errors
///
/// Those of [`read`], and [`Error::Model`] with the place of what is not UTF-8.
pub(crate) fn read_text(path: &Path, most_bytes: u64) -> Result<String> {
    String::from_utf8(read(path, most_bytes)?).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        Error::model(path, format!("is not UTF-8 text at byte {place}; is it the right file?"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_bytes_up_to_the_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"four").unwrap();
        assert_eq!(read(file.path(), 4).unwrap(), b"four");
        let error = read(file.path(), 3).unwrap_err().to_string();
        assert!(error.contains("larger than 3 bytes"), "{error}");
        std::fs::write(file.path(), b"ab\xFF").unwrap();
        let error = read_text(file.path(), 9).unwrap_err().to_string();
        assert!(error.contains("at byte 2"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_has_no_end_is_refused() {
        let error = read(Path::new("/dev/zero"), 1 << 16).unwrap_err().to_string();
        assert!(error.contains("larger than"), "{error}");
    }
}
