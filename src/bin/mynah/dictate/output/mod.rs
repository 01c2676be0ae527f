//! Where dictated text goes: into the focused window, to a program, or to standard output.

mod process;
mod program;
mod stdout;
mod tool;
mod typist;

use anyhow::Result;

pub use program::ProgramInput;
pub use stdout::StandardOutput;
pub use tool::{Environment, Tool};
pub use typist::Typist;

use super::chord::Chord;

/// Takes dictated text.
pub trait Output {
    /// Appends a text.
    ///
    /// # Errors
    ///
    /// Nothing takes text any more. The text has been reported.
    fn insert(&mut self, text: &str) -> Result<()>;

    /// Erases the last characters.
    ///
    /// # Errors
    ///
    /// They can't be erased. Dictation may go on.
    fn erase(&mut self, characters: usize) -> Result<()>;

    /// Whether text can be erased at all.
    fn can_erase(&self) -> bool;

    /// Presses keys.
    ///
    /// # Errors
    ///
    /// They can't be pressed. Dictation may go on.
    fn press(&mut self, chord: &Chord) -> Result<()>;

    /// A dictation begins, after a pause.
    fn begin(&mut self) {}

    /// No text follows.
    ///
    /// # Errors
    ///
    /// What was inserted may be lost.
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
