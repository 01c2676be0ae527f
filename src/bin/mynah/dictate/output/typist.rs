//! Types through the first tool that works, and loses no text where none does.

use std::io::{self, Write};

use anyhow::{Result, bail};

use super::{
    Output,
    tool::{Environment, FoundTool, Tool},
};
use crate::{dictate::chord::Chord, failure};

/// Types into the focused window through the first tool that works.
///
/// A tool works if it and its session are there and its actions succeed. One that fails hands its text to the
/// next one; where none is left, the text goes to standard output.
pub struct Typist {
    tools: Vec<FoundTool>,
    /// The place of the tool in use.
    current: usize,
    /// Whether the tool in use has succeeded.
    is_proven: bool,
    /// Each tool that was refused, and why.
    refused: Vec<(Tool, String)>,
    /// The characters that the tool in use has typed, which it can erase.
    typed: usize,
    /// What is in the clipboard.
    clipboard: String,
    /// Where text goes that no tool takes.
    kept: Box<dyn Write>,
}

impl Typist {
    /// Finds the tools that can work, or the one that is asked for.
    ///
    /// # Errors
    ///
    /// There is none. The error says of each why it was refused.
    pub fn new(environment: &Environment, forced: Option<Tool>) -> Result<Self> {
        let (mut tools, mut refused) = (Vec::new(), Vec::new());
        let tried = forced.map_or(Tool::ALL.to_vec(), |tool| vec![tool]);
        for tool in tried {
            match tool.find(environment, forced.is_some()) {
                Ok(found) => tools.push(found),
                Err(reason) => refused.push((tool, reason)),
            }
        }
        if tools.is_empty() {
            bail!(
                "nothing can type: {}; install one that fits the session, or use --backend stdout",
                reasons(&refused)
            );
        }
        Ok(Self {
            tools,
            current: 0,
            is_proven: false,
            refused,
            typed: 0,
            clipboard: String::new(),
            kept: Box::new(io::stdout()),
        })
    }

    /// The tool in use.
    fn tool(&self) -> Option<&FoundTool> {
        self.tools.get(self.current)
    }

    fn is_clipboard(&self) -> bool {
        self.tool().is_some_and(|found| found.tool.is_clipboard())
    }

    /// Inserts through the tool in use.
    fn try_insert(&mut self, text: &str) -> Result<(), String> {
        let is_clipboard = self.is_clipboard();
        let Some(found) = self.tools.get(self.current) else { return Ok(()) };
        if is_clipboard {
            let added = if self.clipboard.is_empty() { text.trim_start() } else { text };
            let whole = format!("{}{added}", self.clipboard);
            found.insert(&whole)?;
            self.clipboard = whole;
        } else {
            found.insert(text)?;
        }
        if !self.is_proven {
            self.is_proven = true;
            self.announce();
        }
        self.typed += text.chars().count();
        Ok(())
    }

    /// Says where the text goes.
    fn announce(&self) {
        let Some(found) = self.tool() else { return };
        let name = found.tool.name();
        if found.tool.is_clipboard() {
            let reasons = reasons(&self.refused);
            failure::warn(&format!(
                "nothing can type ({reasons}); {name} puts the text into the clipboard: paste it"
            ));
        } else {
            log::info!("{name} types; refused before it: {}", reasons(&self.refused));
        }
    }

    /// Leaves the tool in use to the next one.
    fn refuse(&mut self, reason: String) {
        if let Some(found) = self.tool() {
            let tool = found.tool;
            failure::warn(&format!("{}: {reason}", tool.name()));
            self.refused.push((tool, reason));
        }
        self.current += 1;
        self.is_proven = false;
        self.typed = 0;
    }

    /// Puts a text that no tool took on standard output, and begins with the first tool again.
    fn keep(&mut self, text: &str) -> Result<()> {
        failure::warn(&format!(
            "nothing could type ({}); the text is on standard output",
            reasons(&self.refused)
        ));
        writeln!(self.kept, "{}", text.trim())?;
        self.kept.flush()?;
        self.refused.retain(|(tool, _)| !self.tools.iter().any(|found| found.tool == *tool));
        self.current = 0;
        Ok(())
    }
}

impl Output for Typist {
    fn insert(&mut self, text: &str) -> Result<()> {
        while self.tool().is_some() {
            match self.try_insert(text) {
                Ok(()) => return Ok(()),
                Err(reason) => self.refuse(reason),
            }
        }
        self.keep(text)
    }

    fn erase(&mut self, characters: usize) -> Result<()> {
        if characters > self.typed {
            bail!(
                "{characters} characters are to be erased, of which the tool in use did not type all"
            );
        }
        let Some(found) = self.tools.get(self.current) else { return Ok(()) };
        if found.tool.is_clipboard() {
            let left = self.clipboard.chars().count().saturating_sub(characters);
            let rest: String = self.clipboard.chars().take(left).collect();
            found.insert(&rest).map_err(anyhow::Error::msg)?;
            self.clipboard = rest;
        } else {
            found.press(&Chord::backspace(), characters).map_err(anyhow::Error::msg)?;
        }
        self.typed -= characters;
        Ok(())
    }

    fn can_erase(&self) -> bool {
        true
    }

    fn press(&mut self, chord: &Chord) -> Result<()> {
        let Some(found) = self.tool() else { return Ok(()) };
        found.press(chord, 1).map_err(|reason| anyhow::anyhow!("{}: {reason}", found.tool.name()))
    }

    /// The clipboard gets what is said from now on.
    fn begin(&mut self) {
        if self.is_clipboard() {
            self.clipboard.clear();
            self.typed = 0;
        }
    }
}

/// Each tool that was refused and why.
fn reasons(refused: &[(Tool, String)]) -> String {
    let reasons = refused.iter().map(|(tool, reason)| format!("{}: {reason}", tool.name()));
    reasons.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
