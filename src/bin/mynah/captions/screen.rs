//! The terminal while captions are drawn on it: taken over, and given back whatever happens.

use std::{
    fs::File,
    io::{self, IsTerminal, Write},
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use ratatui::{
    Frame, Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor, event, execute,
        terminal::{self, Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen},
    },
};

use super::{keys, signals::Signals, state::Action};

/// Whether the terminal is taken over.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The alternate screen of a terminal in raw mode. Dropping it gives the terminal back.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Box<dyn Write>>>,
    signals: Signals,
}

impl Screen {
    /// Takes over the terminal of standard output, or else the controlling one.
    ///
    /// # Errors
    ///
    /// There is none, or it does not obey.
    pub fn open() -> Result<Self> {
        let none = "captions can't be drawn: there is no terminal; leave out `--view always`";
        let backend = CrosstermBackend::new(tty().context(none)?);
        restore_on_panic();
        take()
            .context("captions can't be drawn: the terminal does not obey; use `--view never`")?;
        let opened = Terminal::new(backend).map_err(anyhow::Error::from);
        let opened = opened.and_then(|terminal| Ok(Self { terminal, signals: Signals::catch()? }));
        opened.inspect_err(|_| restore())
    }

    /// Draws; a new size clears the screen first.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame)) -> io::Result<()> {
        self.terminal.draw(render).map(|_| ())
    }

    /// Waits for a key, no longer than `patience`. Stops the process where a signal asks for that, and takes
    /// over the terminal anew once it goes on.
    pub fn next_action(&mut self, patience: Duration) -> Result<Option<Action>> {
        if self.signals.stop_asked() {
            return Ok(Some(Action::Suspend));
        }
        if self.signals.continued() {
            self.reenter()?;
        }
        if !event::poll(patience)? {
            return Ok(None);
        }
        Ok(keys::action(&event::read()?))
    }

    /// Stops the process as Ctrl-Z does, and takes over the terminal once it goes on.
    pub fn suspend(&mut self) -> Result<()> {
        restore();
        self.signals.stop_process()?;
        self.reenter()
    }

    /// The columns of the terminal.
    pub fn columns(&self) -> usize {
        self.terminal.size().map_or(80, |size| usize::from(size.width))
    }

    fn reenter(&mut self) -> Result<()> {
        take()?;
        self.repaint()
    }

    /// Clears the screen, so that the next picture is drawn as a whole.
    pub fn repaint(&mut self) -> Result<()> {
        // All cells are drawn anew. `Terminal::clear` would ask the terminal for its cursor, and wait.
        execute!(tty()?, Clear(ClearType::All))?;
        self.terminal = Terminal::new(CrosstermBackend::new(tty()?))?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back, if it is taken over.
pub fn restore() {
    if TAKEN.swap(false, Ordering::Relaxed) {
        // A terminal that has gone needs nothing any more.
        let _ = terminal::disable_raw_mode();
        let _ = tty().and_then(|mut tty| execute!(tty, LeaveAlternateScreen, cursor::Show));
    }
}

/// Prints to the terminal that the captions were drawn on.
pub fn print(text: &str) -> io::Result<()> {
    let mut tty = tty()?;
    tty.write_all(text.as_bytes())?;
    tty.flush()
}

fn take() -> io::Result<()> {
    // A guard that was set up late would leave raw mode behind.
    TAKEN.store(true, Ordering::Relaxed);
    let taken = terminal::enable_raw_mode()
        .and_then(|()| execute!(tty()?, EnterAlternateScreen, cursor::Hide));
    taken.inspect_err(|_| restore())
}

fn tty() -> io::Result<Box<dyn Write>> {
    if io::stdout().is_terminal() {
        return Ok(Box::new(io::stdout()));
    }
    Ok(Box::new(File::options().write(true).open("/dev/tty")?))
}

/// A panic's message belongs on the normal screen.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            restore();
            report(panic);
        }));
    });
}
