//! Prints what is said into a microphone, until Ctrl-C.
//!
//! `cargo run --release --example microphone [DEVICE]`

use mynah::audio::Microphone;
use mynah::{Event, ListenEvent, Listener, Recognizer, Result};

fn main() -> Result<()> {
    let device = std::env::args().nth(1);
    let recognizer = Recognizer::builtin()?;
    let listener = Listener::spawn(&recognizer, Microphone::open(device.as_deref())?);
    for event in &listener {
        match event {
            ListenEvent::Recognized { event: Event::Final { hypothesis: said, .. }, .. } => {
                println!("{}", said.text)
            }
            ListenEvent::Gap { samples, at } => eprintln!("{samples} samples lost at {at:.1?}"),
            ListenEvent::Failed(error) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
