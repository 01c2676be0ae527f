//! `mynah completions` and `mynah man`: what a package installs beside the program, from clap's definitions.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::Args;

/// Print the completions of a shell
///
/// For bash: `mynah completions bash > ~/.local/share/bash-completion/completions/mynah`
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Print the manual page, or write one per command to a folder
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// The folder, which must exist
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// Prints the shell's script.
///
/// # Errors
///
/// Standard output can't be written.
pub fn completions(args: &CompletionsArgs) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "mynah", &mut script);
    io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the page of `mynah`, or writes the pages of all commands.
///
/// # Errors
///
/// A page can't be written.
pub fn man(args: &ManArgs) -> Result<ExitCode> {
    let mut command = Args::command();
    // Names the pages of commands as `mynah-lm-build`.
    command.build();
    match &args.folder {
        None => io::stdout().write_all(&page(&command)?)?,
        Some(folder) => write_pages(&command, folder)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn write_pages(command: &Command, folder: &Path) -> Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let path = folder.join(format!("{name}.1"));
    fs::write(&path, page(command)?).with_context(|| path.display().to_string())?;
    let subcommands = command.get_subcommands();
    let has_page = |command: &&Command| command.get_name() != "help" && !command.is_hide_set();
    subcommands.filter(has_page).try_for_each(|command| write_pages(command, folder))
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).manual("Mynah").render(&mut page)?;
    Ok(page)
}
