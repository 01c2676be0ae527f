//! Prints each utterance of an audio file:
//! `cargo run --release --example transcribe_wav -- speech.wav`

use mynah::audio::{AudioFile, Read, Resampler, Source};
use mynah::{Event, Model, Precision, Recognizer, Stream};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: transcribe_wav FILE")?;
    let mut file = AudioFile::open(&path)?;
    let recognizer = Recognizer::new(Model::load("models/en-small", Precision::default())?)?;
    let mut stream = recognizer.stream();
    let mut resampler = Resampler::new(file.sample_rate(), recognizer.sample_rate())?;
    let (mut buffer, mut samples) = (vec![0.0; 4096], Vec::new());
    loop {
        match file.read(&mut buffer)? {
            Read::Samples(count) => resampler.process(&buffer[..count], &mut samples),
            Read::Gap(lost) => {
                eprintln!("{lost} samples lost");
                resampler.finish(&mut samples);
                stream.accept_waveform(&samples)?;
                samples.clear();
                let (from, to) = (file.sample_rate(), recognizer.sample_rate());
                stream.skip(lost * u64::from(to) / u64::from(from))?;
            }
            Read::End => break,
        }
        stream.accept_waveform(&samples)?;
        samples.clear();
        print_finals(&mut stream);
    }
    resampler.finish(&mut samples);
    stream.accept_waveform(&samples)?;
    stream.finish()?;
    print_finals(&mut stream);
    Ok(())
}

fn print_finals(stream: &mut Stream) {
    while let Some(event) = stream.next_event() {
        if let Event::Final { hypothesis, .. } = event {
            println!("{:7.2}  {}", hypothesis.start.as_secs_f64(), hypothesis.text);
        }
    }
}
