//! Prints each utterance of an audio file:
//! `cargo run --release --example transcribe_wav -- speech.wav`

use mynah::audio::AudioFile;
use mynah::{Model, Precision, Recognizer, Session, Step};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: transcribe_wav FILE")?;
    let recognizer = Recognizer::new(Model::load("models/en-small", Precision::default())?)?;
    let mut session = Session::new(&recognizer, AudioFile::open(&path)?)?;
    loop {
        let step = session.advance()?;
        while let Some(event) = session.next_event() {
            if let Some(hypothesis) = event.into_final() {
                println!("{:7.2}  {}", hypothesis.start.as_secs_f64(), hypothesis.text);
            }
        }
        match step {
            Step::Gap { samples, at } => eprintln!("{samples} samples lost at {at:.1?}"),
            Step::Ended => return Ok(()),
            _ => {}
        }
    }
}
