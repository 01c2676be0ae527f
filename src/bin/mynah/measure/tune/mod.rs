//! `mynah tune`: the language model's weights that make the fewest word errors on a manifest.

mod pattern_search;

use std::{
    io::Write,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use mynah::{
    Model, Recognizer, RecognizerConfig,
    decode::{Decoding, LmFusion, PrefixBeamConfig},
};
use rayon::{ThreadPool, ThreadPoolBuilder, prelude::*};

use self::pattern_search::PatternSearch;
use crate::{
    measure::args::TuneArgs,
    measure::eval::{
        error_rate::Edits,
        manifest::{self, Entry, Selection},
        normalize::normalize,
    },
    measure::recording::read_whole,
    output::Output,
    progress::Progress,
    recognizer_args::Defaults,
};

/// Weight, word bonus and out-of-vocabulary penalty.
type Weights = [f32; 3];

/// The first steps of the search, each halved where no step helps any more.
const STEPS: Weights = [0.2, 0.8, 1.0];
const HALVINGS: usize = 2;

/// A recording as the encoder gives it.
struct Encoded {
    log_probs: Vec<f32>,
    reference: String,
}

/// What one setting makes of all recordings.
struct Trial {
    words: Edits,
    characters: Edits,
    decoding: Duration,
}

/// What every trial shares.
struct Tuner {
    model: Model,
    config: RecognizerConfig,
    beam: PrefixBeamConfig,
    language_model: LmFusion,
    encoded: Vec<Encoded>,
    encoding: Duration,
    pool: ThreadPool,
}

/// Searches and prints each setting tried and the best.
///
/// # Errors
///
/// The manifest, a model or a recording can't be read, there is no language model, or nothing can
/// be written.
pub fn run(args: &TuneArgs) -> Result<ExitCode> {
    let selection = Selection { every: args.recordings.every, limit: args.recordings.limit };
    let entries = manifest::read(&args.recordings.manifest, selection)?;
    let (model, config) =
        args.recognizer.load(Defaults { second_pass: false, ..Defaults::default() })?;
    let Some(Decoding::PrefixBeam(beam)) = config.decoding.clone() else {
        bail!("greedy decoding has nothing to tune; give a language model with `--lm FILE`");
    };
    let Some(language_model) = beam.language_model.clone() else {
        bail!("there is no language model to tune; give one with `--lm FILE`");
    };
    let pool = ThreadPoolBuilder::new().num_threads(args.jobs.get()).build()?;
    let (encoded, encoding) = encode_all(&model, &entries, &pool, &args.recordings.manifest)?;
    let tuner = Tuner { model, config, beam, language_model, encoded, encoding, pool };
    let mut out = Output::stdout();
    tuner.print_table(&mut out)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the encoder over all recordings; also gives the time that took, features included.
fn encode_all(
    model: &Model,
    entries: &[Entry],
    pool: &ThreadPool,
    manifest: &Path,
) -> Result<(Vec<Encoded>, Duration)> {
    let recognizer = Recognizer::new(model.clone())?;
    let progress = Progress::over_recordings(entries.len());
    let encoded = pool.install(|| {
        let encode = |entry: &Entry| {
            let samples = read_whole(&entry.path, recognizer.sample_rate())
                .with_context(|| format!("{}:{}", manifest.display(), entry.line))?;
            let began = Instant::now();
            let log_probs = recognizer.log_probs(&samples)?;
            progress.advance_recording();
            Ok((Encoded { log_probs, reference: normalize(&entry.text) }, began.elapsed()))
        };
        entries.par_iter().map(encode).collect::<Result<Vec<_>>>()
    });
    progress.finish();
    let (encoded, times): (Vec<_>, Vec<_>) = encoded?.into_iter().unzip();
    Ok((encoded, times.into_iter().sum()))
}

impl Tuner {
    fn print_table(&self, out: &mut impl Write) -> Result<()> {
        writeln!(out, "weight  bonus  OOV penalty  word errors  character errors  decoding")?;
        let greedy = self.trial(Decoding::Greedy)?;
        writeln!(out, "{:27}{}", "greedy", self.figures(&greedy))?;
        let plain = PrefixBeamConfig { language_model: None, ..self.beam.clone() };
        let plain = self.trial(Decoding::PrefixBeam(plain))?;
        writeln!(out, "{:27}{}", "no language model", self.figures(&plain))?;
        let LmFusion { weight, word_insertion_bonus, oov_penalty, .. } = self.language_model;
        let mut search =
            PatternSearch::new([weight, word_insertion_bonus, oov_penalty], STEPS, HALVINGS);
        let mut fewest = u64::MAX;
        while let Some(weights) = search.next_point() {
            let trial = self.trial(self.decoding(weights))?;
            let [weight, bonus, penalty] = weights;
            let figures = self.figures(&trial);
            writeln!(out, "{weight:<6.2}  {bonus:<5.2}  {penalty:<11.2}  {figures}")?;
            out.flush()?;
            fewest = fewest.min(trial.words.errors());
            search.report(trial.words.errors() as f64);
        }
        self.print_best(out, search.best(), &greedy, fewest)
    }

    fn print_best(
        &self,
        out: &mut impl Write,
        best: Weights,
        greedy: &Trial,
        fewest: u64,
    ) -> Result<()> {
        let relative = 1.0 - fewest as f64 / greedy.words.errors().max(1) as f64;
        writeln!(
            out,
            "best: {:.1} % fewer word errors than greedy; for config.json:",
            100.0 * relative
        )?;
        let [weight, word_insertion_bonus, oov_penalty] =
            best.map(|value| (f64::from(value) * 100.0).round() / 100.0);
        let section = serde_json::json!({
            "file": "lm.bin",
            "weight": weight,
            "word_insertion_bonus": word_insertion_bonus,
            "oov_penalty": oov_penalty,
            "beam": self.beam.beam,
        });
        writeln!(out, "\"language_model\": {section}")?;
        Ok(out.flush()?)
    }

    fn decoding(&self, [weight, word_insertion_bonus, oov_penalty]: Weights) -> Decoding {
        let language_model =
            LmFusion { weight, word_insertion_bonus, oov_penalty, ..self.language_model.clone() };
        let language_model = Some(language_model);
        Decoding::PrefixBeam(PrefixBeamConfig { language_model, ..self.beam.clone() })
    }

    /// Decodes all recordings.
    fn trial(&self, decoding: Decoding) -> Result<Trial> {
        let config = RecognizerConfig { decoding: Some(decoding), ..self.config.clone() };
        let recognizer = Recognizer::with_config(self.model.clone(), config)?;
        let decode = |encoded: &Encoded| {
            let began = Instant::now();
            let finals = recognizer.decode(&encoded.log_probs);
            let decoding = began.elapsed();
            let text: Vec<_> = finals.into_iter().map(|hypothesis| hypothesis.text).collect();
            let text = normalize(&text.join(" "));
            let words = Edits::of_words(&encoded.reference, &text);
            Trial { words, characters: Edits::of_characters(&encoded.reference, &text), decoding }
        };
        let trials: Vec<_> = self.pool.install(|| self.encoded.par_iter().map(decode).collect());
        let none = Trial {
            words: Edits::default(),
            characters: Edits::default(),
            decoding: Duration::ZERO,
        };
        Ok(trials.into_iter().fold(none, |mut sum, trial| {
            sum.words += trial.words;
            sum.characters += trial.characters;
            sum.decoding += trial.decoding;
            sum
        }))
    }

    fn figures(&self, trial: &Trial) -> String {
        let percent = |edits: Edits| {
            edits.rate().map_or("none".to_owned(), |rate| format!("{:.2} %", 100.0 * rate))
        };
        let part = trial.decoding.as_secs_f64() / self.encoding.as_secs_f64().max(f64::EPSILON);
        format!(
            "{:11}  {:16}  {:.2} s, {:.1} % of the encoder's {:.1} s",
            percent(trial.words),
            percent(trial.characters),
            trial.decoding.as_secs_f64(),
            100.0 * part,
            self.encoding.as_secs_f64()
        )
    }
}
