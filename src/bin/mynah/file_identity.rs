//! Whether two names lead to one file.

use std::{
    fs::{File, Metadata},
    io,
    path::Path,
};

use crate::audio_input::STDIN;

/// Whether the open file `output` is also one of the inputs, of which `-` is standard input.
pub fn is_any_of(output: &File, inputs: &[impl AsRef<Path>]) -> bool {
    let Ok(output) = output.metadata() else { return false };
    let is_input = |input: &Path| metadata(input).is_ok_and(|input| is_same(&input, &output));
    inputs.iter().any(|input| is_input(input.as_ref()))
}

/// Whether two paths lead to one file; `-` is standard input.
pub fn are_same(one: &Path, other: &Path) -> bool {
    match (metadata(one), metadata(other)) {
        (Ok(one), Ok(other)) => is_same(&one, &other),
        _ => false,
    }
}

/// Whether a path leads to the open file: not if it was removed or replaced.
pub fn leads_to(path: &Path, file: &File) -> bool {
    match (path.metadata(), file.metadata()) {
        (Ok(named), Ok(open)) => is_same(&named, &open),
        _ => false,
    }
}

fn metadata(input: &Path) -> io::Result<Metadata> {
    if input == Path::new(STDIN) { stdin_metadata() } else { input.metadata() }
}

#[cfg(unix)]
fn stdin_metadata() -> io::Result<Metadata> {
    use std::os::fd::AsFd;

    File::from(io::stdin().as_fd().try_clone_to_owned()?).metadata()
}

#[cfg(not(unix))]
fn stdin_metadata() -> io::Result<Metadata> {
    Err(io::ErrorKind::Unsupported.into())
}

/// By device and inode. Devices such as `/dev/null` are not files that could be lost.
#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    one.is_file() && (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(windows)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::windows::fs::MetadataExt;

    // Without the volume's index, which std does not give: of the same length, and made and written at
    // the same time.
    let key = |m: &Metadata| (m.creation_time(), m.last_write_time(), m.file_size());
    one.is_file() && key(one) == key(other)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn links_lead_to_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a"), "a").unwrap();
        fs::write(path("b"), "b").unwrap();
        fs::hard_link(path("a"), path("link")).unwrap();
        let open = File::open(path("link")).unwrap();
        assert!(is_any_of(&open, &[path("b"), path("a")]));
        assert!(!is_any_of(&open, &[path("b"), path("none")]));
        assert!(leads_to(&path("a"), &open) && !leads_to(&path("b"), &open));
        fs::remove_file(path("link")).unwrap();
        assert!(!leads_to(&path("link"), &open));
    }
}
