//! What sound libraries print on standard error, kept from the user.
//!
//! ALSA and its plugins (JACK's, PulseAudio's) print a line for each device that they try and don't find, from C and
//! past any handler of ours: `libjack` has none, and ALSA's is replaced by those who link it. So the file
//! descriptor itself leads elsewhere while devices are opened. What came meanwhile goes to the log at the level
//! `debug`; lines of the log itself, which other threads may write meanwhile, are printed afterwards.

/// Runs `probe` with standard error led to the log.
#[cfg(not(target_os = "linux"))]
pub fn quietly<T>(probe: impl FnOnce() -> T) -> T {
    probe()
}

#[cfg(target_os = "linux")]
pub use linux::quietly;

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        fs::File,
        io::{self, Read, Seek, Write},
        os::fd::{AsFd, OwnedFd},
    };

    use rustix::{
        fs::{MemfdFlags, memfd_create},
        stdio::dup2_stderr,
    };

    /// Runs `probe` with standard error led to the log.
    pub fn quietly<T>(probe: impl FnOnce() -> T) -> T {
        match Redirection::start() {
            Ok(redirection) => {
                let result = probe();
                redirection.end();
                result
            }
            // Noise is better than no sound.
            Err(_) => probe(),
        }
    }

    /// Standard error that leads to a file in memory. A panic in between ends it too.
    struct Redirection {
        original: OwnedFd,
        captured: File,
    }

    impl Redirection {
        fn start() -> io::Result<Self> {
            let original = io::stderr().as_fd().try_clone_to_owned()?;
            let captured = File::from(memfd_create("noise", MemfdFlags::CLOEXEC)?);
            dup2_stderr(&captured)?;
            Ok(Self { original, captured })
        }

        /// Gives standard error back, and then what came meanwhile to the log.
        fn end(self) {
            let Ok(mut captured) = self.captured.try_clone() else { return };
            drop(self);
            let mut noise = Vec::new();
            if captured.rewind().and_then(|()| captured.read_to_end(&mut noise)).is_ok() {
                String::from_utf8_lossy(&noise).lines().for_each(pass_on);
            }
        }
    }

    impl Drop for Redirection {
        fn drop(&mut self) {
            // Without it nothing can be printed.
            let _ = dup2_stderr(&self.original);
        }
    }

    fn pass_on(line: &str) {
        let is_logged = ["error: ", "warning: ", "info: ", "debug: ", "trace: "];
        if is_logged.iter().any(|level| line.starts_with(level)) {
            // Standard error may be closed.
            let _ = writeln!(io::stderr(), "{line}");
        } else {
            log::debug!("sound system: {line}");
        }
    }
}
