//! `mynah lm build`: a language model of texts.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use mynah::{
    Chunk, Finals, Model,
    decode::{Decoding, PrefixBeamConfig},
    lm::{Interpolation, NgramModel, sentences},
};

use super::report;
use crate::{args::LmBuildArgs, output};

/// Of so many sentences one is held out to find the interpolation weight.
const HELD_OUT: usize = 10;

/// Estimates n-grams of the texts, mixes them with the model's where that is asked for, and writes them.
///
/// # Errors
///
/// A text can't be read or has no words, or the output can't be written.
pub fn run(args: &LmBuildArgs) -> Result<ExitCode> {
    output::refuse_read(&args.output, args.texts.iter().map(PathBuf::as_path))?;
    let base = match args.interpolate {
        Some(_) => Some(ngrams(&args.model.load(Chunk::Streaming, Finals::FirstPass)?)?),
        None => None,
    };
    let text = read(args, base.as_ref())?;
    let text: Vec<&str> = text.iter().map(String::as_str).collect();
    let own = NgramModel::estimate(text.iter().copied(), args.order)?;
    let mixture = base.as_ref().map(|base| mix(base, &own, &text, args)).transpose()?;
    let model = mixture.as_ref().map_or(&own, |(mixed, _)| mixed);
    model.save(&args.output)?;
    let mut out = io::stdout().lock();
    let words: usize = text.iter().map(|sentence| sentence.split_whitespace().count()).sum();
    writeln!(out, "text     {} sentences, {words} words", text.len())?;
    if let (Some(base), Some((mixed, weight))) = (&base, &mixture) {
        let new_words = mixed.counts().next().unwrap_or(0) - base.counts().next().unwrap_or(0);
        writeln!(out, "weight   {weight:.3} of the texts' model")?;
        writeln!(out, "words    {new_words} that the model's n-grams lack")?;
    }
    report(model, &args.output)
}

/// Both as one, with the weight that was asked for or the fitted one.
fn mix(
    base: &NgramModel,
    own: &NgramModel,
    text: &[&str],
    args: &LmBuildArgs,
) -> Result<(NgramModel, f64)> {
    let weight = match args.interpolate.flatten() {
        Some(weight) => f64::from(weight),
        None => fitted_weight(base, text, args.order)?,
    };
    Ok((Interpolation::new(base, own, weight)?.model()?, weight))
}

/// The texts' sentences; a word of `base` in capitals is no initialism.
fn read(args: &LmBuildArgs, base: Option<&NgramModel>) -> Result<Vec<String>> {
    let is_word = |word: &str| base.is_some_and(|base| base.contains(word));
    let mut all = Vec::new();
    for path in &args.texts {
        let text = fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
        let read = sentences(&text, is_word);
        if read.is_empty() {
            bail!("{}: has no words", path.display());
        }
        all.extend(read);
    }
    Ok(all)
}

/// The weight under which every tenth sentence is likeliest, by a model of the others.
fn fitted_weight(base: &NgramModel, text: &[&str], order: usize) -> Result<f64> {
    let is_held_out = |index: usize| index % HELD_OUT == HELD_OUT - 1;
    let part = |held_out| {
        let sentences = text.iter().enumerate();
        sentences.filter(move |(index, _)| is_held_out(*index) == held_out).map(|(_, s)| *s)
    };
    if text.len() < HELD_OUT {
        bail!(
            "{} sentences are too few to find a weight by; write one: `--interpolate=0.3`",
            text.len()
        );
    }
    let rest = NgramModel::estimate(part(false), order)?;
    Ok(Interpolation::fitted(base, &rest, part(true)).weight())
}

fn ngrams(model: &Model) -> Result<NgramModel> {
    match model.default_decoding() {
        Decoding::PrefixBeam(PrefixBeamConfig { language_model: Some(lm), .. }) => {
            Ok(lm.ngrams.clone())
        }
        _ => bail!("the model has no n-grams to mix with; leave `--interpolate` out"),
    }
}
