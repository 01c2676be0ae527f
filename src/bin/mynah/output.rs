//! Where results go: standard output, or a file that appears when it is complete.

use std::{
    cell::RefCell,
    fs::{self, File},
    io::{self, LineWriter, Write},
    path::{Path, PathBuf},
    rc::Rc,
};

use anyhow::{Context, Result, bail};

use crate::file_identity;

/// A destination that is written beside its file and renamed at the end.
///
/// An interrupted run leaves the old file as it was, and what it has written as `FILE.part`.
/// Clones write to the same place.
#[derive(Clone)]
pub struct Output(Rc<RefCell<State>>);

enum State {
    Stdout(io::Stdout),
    /// Nothing is opened yet.
    Due(PathBuf),
    /// What is no regular file, such as a pipe, has no other file beside it.
    Direct {
        file: LineWriter<File>,
        target: PathBuf,
    },
    Part {
        file: LineWriter<File>,
        part: PathBuf,
        target: PathBuf,
    },
    Finished,
}

impl Output {
    /// Standard output.
    pub fn stdout() -> Self {
        Self(Rc::new(RefCell::new(State::Stdout(io::stdout()))))
    }

    /// The file, or standard output without one. Opens nothing yet.
    ///
    /// # Errors
    ///
    /// The file is one of those that are `read`, under whatever name.
    pub fn new<'a>(path: Option<&Path>, read: impl IntoIterator<Item = &'a Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::stdout()) };
        refuse_read(path, read)?;
        Ok(Self(Rc::new(RefCell::new(State::Due(path.to_owned())))))
    }

    pub fn is_stdout(&self) -> bool {
        matches!(*self.0.borrow(), State::Stdout(_))
    }

    /// Opens the file beside the one that is to be written. Does so once.
    ///
    /// # Errors
    ///
    /// It can't be written.
    pub fn open(&self) -> Result<()> {
        let mut state = self.0.borrow_mut();
        if let State::Due(path) = &*state {
            let opened = State::of(path).with_context(|| path.display().to_string())?;
            *state = opened;
        }
        Ok(())
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    ///
    /// Its end can't be written, or it can't be renamed.
    pub fn commit(&self) -> Result<()> {
        self.open()?;
        let mut state = self.0.borrow_mut();
        match std::mem::replace(&mut *state, State::Finished) {
            State::Part { file, part, target } => {
                let name = || part.display().to_string();
                let file = file.into_inner().map_err(|e| e.into_error()).with_context(name)?;
                file.sync_all().with_context(name)?;
                fs::rename(&part, &target).with_context(|| target.display().to_string())?;
            }
            State::Direct { mut file, target } => file.flush().map_err(|e| at(&target, &e))?,
            State::Stdout(mut out) => out.flush()?,
            State::Due(_) | State::Finished => {}
        }
        Ok(())
    }

    /// Leaves what is written beside the file; gives its name if there is one.
    pub fn leave(&self) -> io::Result<Option<PathBuf>> {
        let mut state = self.0.borrow_mut();
        match std::mem::replace(&mut *state, State::Finished) {
            State::Part { mut file, part, .. } => {
                file.flush().map_err(|e| at(&part, &e))?;
                Ok(Some(part))
            }
            State::Stdout(mut out) => out.flush().map(|()| None),
            _ => Ok(None),
        }
    }
}

impl State {
    fn of(path: &Path) -> io::Result<Self> {
        // Through a symbolic link, which stays.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let old = fs::metadata(&target).ok();
        if old.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if old.as_ref().is_some_and(|old| !old.is_file()) {
            let file = File::options().write(true).open(&target)?;
            return Ok(Self::Direct { file: LineWriter::new(file), target });
        }
        if let Some(old) = &old {
            // Fails as overwriting the file would.
            File::options().append(true).open(&target)?;
            let part = part_of(&target);
            let file = File::create(&part)?;
            fs::set_permissions(&part, old.permissions())?;
            return Ok(Self::Part { file: LineWriter::new(file), part, target });
        }
        let part = part_of(&target);
        Ok(Self::Part { file: LineWriter::new(File::create(&part)?), part, target })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open().map_err(io::Error::other)?;
        match &mut *self.0.borrow_mut() {
            State::Stdout(out) => out.write(bytes),
            State::Direct { file, target: path } | State::Part { file, part: path, .. } => {
                file.write(bytes).map_err(|e| at(path, &e))
            }
            State::Due(_) | State::Finished => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut *self.0.borrow_mut() {
            State::Stdout(out) => out.flush(),
            State::Direct { file, target: path } | State::Part { file, part: path, .. } => {
                file.flush().map_err(|e| at(path, &e))
            }
            State::Due(_) | State::Finished => Ok(()),
        }
    }
}

/// The error with the name of the file.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Refuses to write a file that is also read, under whatever name.
///
/// # Errors
///
/// It is one of those.
pub fn refuse_read<'a>(path: &Path, read: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let written = [path.to_owned(), part_of(path)];
    for read in read {
        if let Some(lost) = written.iter().find(|path| file_identity::are_same(path, read)) {
            let name = read.display();
            bail!("{}: is also read, as {name}; write to another file", lost.display());
        }
    }
    Ok(())
}

/// The name of what is written until it is complete.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_file_stays_until_the_new_one_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.txt");
        fs::write(&path, "old").unwrap();
        let mut output = Output::new(Some(&path), []).unwrap();
        output.write_all(b"new\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_to_string(part_of(&path)).unwrap(), "new\n");
        output.commit().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
        assert!(!part_of(&path).exists());
    }

    #[test]
    fn what_is_left_stays_beside_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.txt");
        let output = Output::new(Some(&path), []).unwrap();
        assert_eq!(output.leave().unwrap(), None);
        let mut output = Output::new(Some(&path), []).unwrap();
        output.write_all(b"half").unwrap();
        assert_eq!(output.leave().unwrap(), Some(part_of(&path)));
        assert_eq!(fs::read_to_string(part_of(&path)).unwrap(), "half");
        assert!(!path.exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_named() {
        let mut output = Output::new(Some(Path::new("/dev/full")), []).unwrap();
        let error = output.write_all(b"a line\n").and_then(|()| output.flush()).unwrap_err();
        assert!(error.to_string().starts_with("/dev/full: No space left"), "{error}");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_read_is_refused_under_every_name() {
        let folder = tempfile::tempdir().unwrap();
        let [input, hard, soft, part] =
            ["in.wav", "hard", "soft", "new.part"].map(|name| folder.path().join(name));
        fs::write(&input, "sound").unwrap();
        fs::hard_link(&input, &hard).unwrap();
        std::os::unix::fs::symlink(&input, &soft).unwrap();
        for path in [&input, &hard, &soft] {
            assert!(Output::new(Some(path), [input.as_path()]).is_err(), "{}", path.display());
        }
        fs::write(&part, "sound").unwrap();
        let new = folder.path().join("new");
        assert!(Output::new(Some(&new), [part.as_path()]).is_err());
        assert!(Output::new(Some(&new), [input.as_path()]).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let [target, link] = ["target", "link"].map(|name| folder.path().join(name));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let mut output = Output::new(Some(&link), []).unwrap();
        output.write_all(b"new").unwrap();
        output.commit().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
