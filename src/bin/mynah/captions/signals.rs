//! Signals of job control, which must not leave a terminal in raw mode.

use anyhow::Result;

#[cfg(unix)]
pub use unix::Signals;

#[cfg(unix)]
mod unix {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use signal_hook::{
        SigId,
        consts::{SIGCONT, SIGTSTP},
        flag, low_level,
    };

    use super::Result;

    /// Notes SIGTSTP and SIGCONT until it is dropped.
    pub struct Signals {
        stop: Arc<AtomicBool>,
        continued: Arc<AtomicBool>,
        ids: [SigId; 2],
    }

    impl Signals {
        /// Begins to note them.
        ///
        /// # Errors
        ///
        /// The system refuses.
        pub fn catch() -> Result<Self> {
            let [stop, continued] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
            let ids = [
                flag::register(SIGTSTP, Arc::clone(&stop))?,
                flag::register(SIGCONT, Arc::clone(&continued))?,
            ];
            Ok(Self { stop, continued, ids })
        }

        /// Whether the process has been asked to stop.
        pub fn stop_asked(&self) -> bool {
            self.stop.swap(false, Ordering::Relaxed)
        }

        /// Whether the process has been stopped and goes on.
        pub fn continued(&self) -> bool {
            self.continued.swap(false, Ordering::Relaxed)
        }

        /// Stops the process until it is continued.
        ///
        /// # Errors
        ///
        /// The system refuses.
        pub fn stop_process(&self) -> Result<()> {
            low_level::emulate_default_handler(SIGTSTP)?;
            self.continued.store(false, Ordering::Relaxed);
            Ok(())
        }
    }

    impl Drop for Signals {
        fn drop(&mut self) {
            self.ids.into_iter().for_each(|id| {
                low_level::unregister(id);
            });
        }
    }
}

/// Without job control.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub fn catch() -> Result<Self> {
        Ok(Self)
    }

    pub fn stop_asked(&self) -> bool {
        false
    }

    pub fn continued(&self) -> bool {
        false
    }

    pub fn stop_process(&self) -> Result<()> {
        Ok(())
    }
}
