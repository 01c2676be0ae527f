//! Text as it would be typed, on standard output.

use std::io::{self, Write};

use anyhow::{Result, bail};

use super::Output;
use crate::dictate::chord::Chord;

/// Writes what would be typed, each segment at once; the text ends with a line break.
pub struct StandardOutput {
    out: Box<dyn Write>,
    last: Option<char>,
}

impl StandardOutput {
    pub fn new() -> Self {
        Self { out: Box::new(io::stdout()), last: None }
    }
}

impl Output for StandardOutput {
    fn insert(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.last = text.chars().next_back().or(self.last);
        Ok(self.out.flush()?)
    }

    fn erase(&mut self, characters: usize) -> Result<()> {
        bail!("the last {characters} characters are on standard output and stay there");
    }

    fn can_erase(&self) -> bool {
        false
    }

    fn press(&mut self, chord: &Chord) -> Result<()> {
        bail!("{} can't be pressed on standard output", chord.keysyms());
    }

    fn finish(&mut self) -> Result<()> {
        if self.last.is_some_and(|last| last != '\n') {
            self.insert("\n")?;
        }
        Ok(())
    }
}
