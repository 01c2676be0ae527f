//! What `.ci/package` compiles with the package as its dependency: `embedding file|live MODEL AUDIO`.

use mynah::audio::{AudioFile, ReadOutcome, RealtimeSource, Source};
use mynah::{
    ListenEvent, Listener, LoadOptions, Model, Recognizer, Session, Step, TextFormatter, TextFormatterConfig,
};

/// A live source of its own kind.
struct Custom(AudioFile);

impl Source for Custom {
    fn sample_rate(&self) -> u32 {
        self.0.sample_rate()
    }

    fn read(&mut self, buffer: &mut [f32]) -> mynah::Result<ReadOutcome> {
        self.0.read(buffer)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, kind, model, audio] = &args[..] else { return Err("usage: embedding file|live MODEL AUDIO".into()) };
    let recognizer = Recognizer::new(Model::load(model, LoadOptions::default())?)?;
    let punctuation = recognizer.model().punctuation().cloned();
    let mut formatter = TextFormatter::new(TextFormatterConfig { punctuation, ..TextFormatterConfig::default() });
    let file = AudioFile::open(audio)?;
    if kind == "file" {
        let mut session = Session::new(&recognizer, file)?;
        while session.advance()? != Step::Ended {}
        for said in std::iter::from_fn(|| session.next_event()).filter_map(mynah::Event::into_final) {
            println!("{}", formatter.text(&said.text));
        }
        return Ok(());
    }
    for event in &Listener::spawn(&recognizer, RealtimeSource::new(Custom(file))?) {
        match event {
            ListenEvent::Recognized { event, .. } if event.is_final() => {
                println!("{}", formatter.text(&event.hypothesis().text));
            }
            ListenEvent::Failed(error) => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
