//! The options that choose a model and say how it recognizes, and what the library makes of them.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use clap::ValueEnum;
use mynah::{
    Chunk, EarlyEndpoint, EndpointConfig, Finals, GateConfig, LoadOptions, Model, Recognizer,
    RecognizerConfig, UserWord,
};

use crate::{
    args::{parse_seconds, usage_error},
    decoding_args::DecodingArgs,
};

/// Which model.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Recognition")]
pub struct ModelArgs {
    /// The model's folder [default: the model inside this program]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,

    /// Which of the model's encoders runs; the model inside this program has int8 only
    #[arg(long, value_enum, default_value_t = Precision::Auto, requires_if("f32", "model"))]
    pub precision: Precision,

    /// Recognize the audio in chunks of this length, one of those that the model was trained for:
    /// shorter ones answer sooner, err more and compute more [default: the model's, which may have a
    /// longer one for files that are only transcribed]
    #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub chunk: Option<u64>,

    /// Add the words in this file to the lexicon, one a line, each in the form in which it is to be written; after `=`
    /// what it sounds like (`k8s = kubernetes`) or its phones (`Nguyen = /W IH N/`), several of them with commas between
    #[arg(long, value_name = "FILE")]
    pub words: Option<PathBuf>,

    /// What the encoder runs on; a GPU runs a model's f32 encoder, in programs built for it
    #[arg(long, value_enum, default_value_t = RunOn::Auto, requires_if("gpu", "model"))]
    pub run_on: RunOn,
}

/// Which model, and when an utterance ends.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Recognition")]
pub struct RecognizerArgs {
    #[command(flatten)]
    pub model: ModelArgs,

    /// End an utterance after this much silence [default: 1.2]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, allow_negative_numbers = true)]
    pub endpoint_silence: Option<Duration>,

    /// Never end an utterance before the audio ends, or before it has lasted a minute
    #[arg(long, conflicts_with = "endpoint_silence")]
    pub no_endpoint: bool,

    /// End an utterance early, after so much silence that the model is sure of: finals come sooner, and
    /// pauses inside sentences end them too [default without a value: 0.48; default of `listen` unless
    /// --endpoint-silence is given: 0.64]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "0.48", value_parser = parse_seconds, conflicts_with = "no_endpoint")]
    #[arg(overrides_with = "no_early_final")]
    pub early_final: Option<Duration>,

    /// Never end an utterance early (the default of all but `listen`)
    #[arg(long, overrides_with = "early_final")]
    pub no_early_final: bool,

    /// Give as final what the partials came to, instead of decoding each utterance again in longer
    /// chunks: more errors, half the computing, less memory. `--max-unstable` implies it
    #[arg(long)]
    pub single_pass: bool,

    /// Use this model too for finals: fewer errors, for more computing. Of a folder with a decoder
    /// (models/en-decoder) the decoder rescores the hypotheses; of another, which must have the model's
    /// features, tokens and phones, the encoder's log-probabilities are averaged with the model's own
    #[arg(long, value_name = "DIR", conflicts_with_all = ["single_pass", "max_unstable"])]
    pub second_model: Option<PathBuf>,

    /// Keep silence from the encoder (the default of `listen`, `dictate`, `bench` and `serve`'s live streams): nothing is computed in it
    #[arg(long, overrides_with = "no_gate")]
    pub gate: bool,

    /// Encode silence like all else (the default of `transcribe` and `eval`)
    #[arg(long, overrides_with = "gate")]
    pub no_gate: bool,

    #[command(flatten)]
    pub decoding: DecodingArgs,
}

/// What of the recognizer depends on the command.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// Whether silence is kept from the encoder.
    pub gated: bool,
    /// After how much silence that the model is sure of an utterance ends, where no silence is asked for.
    pub early_final: Option<Duration>,
    /// The hypotheses told of each utterance.
    pub nbest: NonZeroUsize,
    /// The model's chunks.
    pub chunk: Chunk,
    /// Whether utterances are encoded a second time for their finals.
    pub second_pass: bool,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            gated: false,
            early_final: None,
            nbest: NonZeroUsize::MIN,
            chunk: Chunk::Streaming,
            second_pass: true,
        }
    }
}

/// Which of a model's encoders runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// Int8 on processors that sum products of integers, else f32 if the model has it
    Auto,
    Int8,
    F32,
}

/// What the encoder runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RunOn {
    /// A GPU where one can be used, else the processor
    Auto,
    Cpu,
    /// A GPU, or an error
    Gpu,
}

impl RecognizerArgs {
    /// The lists and language models that are read.
    pub fn read_files(&self) -> impl Iterator<Item = &Path> {
        let decoding = &self.decoding;
        let files = [&self.model.words, &decoding.lm, &decoding.hotwords, &decoding.grammar];
        files.into_iter().flatten().map(PathBuf::as_path)
    }

    /// Loads the model and configures the recognizer; `defaults` are the command's.
    ///
    /// # Errors
    ///
    /// The model or the language model can't be loaded, or the options don't fit them.
    pub fn recognizer(&self, defaults: Defaults) -> Result<Recognizer> {
        let (model, config) = self.load(defaults)?;
        Ok(Recognizer::with_config(model, config)?)
    }

    /// Loads the model, and what a recognizer of it is to be configured with.
    ///
    /// # Errors
    ///
    /// Those of [`RecognizerArgs::recognizer`].
    pub fn load(&self, defaults: Defaults) -> Result<(Model, RecognizerConfig)> {
        if self.second_model.is_some() && !defaults.second_pass {
            usage_error("--second-model needs a second pass, which this command does not have");
        }
        let may_change = defaults.second_pass && self.decoding.max_unstable.is_none();
        let finals = match &self.second_model {
            Some(folder) => Finals::WithModel(folder.clone()),
            None if may_change && !self.single_pass => Finals::SecondPass,
            None => Finals::FirstPass,
        };
        self.load_with(defaults, finals)
    }

    /// As [`RecognizerArgs::load`], with finals of the pass that the command chooses.
    ///
    /// # Errors
    ///
    /// Those of [`RecognizerArgs::recognizer`].
    pub fn load_with(
        &self,
        defaults: Defaults,
        finals: Finals,
    ) -> Result<(Model, RecognizerConfig)> {
        let model = self.model.load(defaults.chunk, finals)?;
        let (model, hotwords) = self.decoding.with_hotwords(model)?;
        let config = RecognizerConfig {
            endpoint: self.endpoint(defaults.early_final),
            decoding: Some(self.decoding.decoding(&model, defaults.nbest, hotwords)?),
            gate: ((defaults.gated || self.gate) && !self.no_gate).then(GateConfig::default),
            ..RecognizerConfig::default()
        };
        Ok((model, config))
    }

    /// When utterances end.
    pub fn endpoint(&self, early_final: Option<Duration>) -> EndpointConfig {
        let mut endpoint =
            EndpointConfig { enabled: !self.no_endpoint, ..EndpointConfig::default() };
        if let Some(silence) = self.endpoint_silence {
            endpoint.rule2.trailing_silence = silence;
            // Rule 1 holds with text as well, and must not come before rule 2.
            endpoint.rule1.trailing_silence = endpoint.rule1.trailing_silence.max(silence);
        }
        let has_choice = self.no_early_final || self.endpoint_silence.is_some();
        let early_final = self.early_final.or(early_final.filter(|_| !has_choice));
        endpoint.early = early_final
            .map(|trailing_silence| EarlyEndpoint { trailing_silence, ..EarlyEndpoint::default() });
        endpoint
    }
}

impl ModelArgs {
    /// Loads the model, in chunks of `default` unless others are asked for, and the encoder of a
    /// second pass if there is to be one.
    ///
    /// # Errors
    ///
    /// A file of it is missing or broken, or it can't be run as asked for.
    pub fn load(&self, default: Chunk, finals: Finals) -> Result<Model> {
        let length = self.chunk.map(|length| Chunk::Length(Duration::from_millis(length)));
        let options = LoadOptions {
            precision: self.precision.into(),
            chunk: length.unwrap_or(default),
            finals,
            device: self.run_on.into(),
        };
        let model = match &self.model {
            Some(folder) => Model::load(folder, options)?,
            #[cfg(feature = "builtin-model")]
            None => Model::builtin_with(&options)?,
            #[cfg(not(feature = "builtin-model"))]
            None => usage_error("no model is built into this mynah; give --model DIR"),
        };
        match &self.words {
            None => Ok(model),
            Some(file) => add_words(&model, file),
        }
    }
}

fn add_words(model: &Model, file: &Path) -> Result<Model> {
    let name = || file.display().to_string();
    let text = fs::read_to_string(file).with_context(name)?;
    let words = UserWord::parse_list(&text).with_context(name)?;
    model.with_user_words(&words).with_context(name)
}

/// The name on the command line and in reports of the precision that a model runs in.
#[cfg(feature = "measure")]
pub fn precision_name(model: &Model) -> &'static str {
    match model.precision() {
        mynah::Precision::F32 => "f32",
        _ => "int8",
    }
}

impl From<Precision> for mynah::Precision {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::Auto => Self::Auto,
            Precision::Int8 => Self::Int8,
            Precision::F32 => Self::F32,
        }
    }
}

impl From<RunOn> for mynah::Device {
    fn from(run_on: RunOn) -> Self {
        match run_on {
            RunOn::Auto => Self::Auto,
            RunOn::Cpu => Self::Cpu,
            RunOn::Gpu => Self::Gpu,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    fn endpoint(options: &[&str], early_final: Option<Duration>) -> EndpointConfig {
        let arguments = ["mynah", "transcribe", "a.wav", "--model", "m"];
        let parsed = Args::parse_from([&arguments, options].concat());
        let Command::Transcribe(args) = parsed.command else { panic!("not transcribe") };
        args.recognizer.endpoint(early_final)
    }

    #[test]
    fn a_long_endpoint_silence_holds_back_rule_1_too() {
        let endpoint = endpoint(&["--endpoint-silence", "5"], None);
        assert_eq!(endpoint.rule1.trailing_silence, Duration::from_secs(5));
        assert_eq!(endpoint.rule2.trailing_silence, Duration::from_secs(5));
    }

    #[test]
    fn options_win_over_the_commands_early_final() {
        let early = |options: &[&str]| {
            let endpoint = endpoint(options, Some(Duration::from_millis(640)));
            endpoint.early.map(|early| early.trailing_silence.as_millis())
        };
        assert_eq!(early(&[]), Some(640));
        assert_eq!(early(&["--early-final"]), Some(480));
        assert_eq!(early(&["--early-final=0.8"]), Some(800));
        assert_eq!(early(&["--no-early-final"]), None);
        assert_eq!(early(&["--endpoint-silence", "2"]), None);
        assert_eq!(early(&["--endpoint-silence", "2", "--early-final"]), Some(480));
    }
}
