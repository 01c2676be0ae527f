//! The phrases to listen for, from options and a file, each checked where it stands.

use std::{collections::HashMap, fs, path::Path, slice};

use anyhow::{Context, Result, anyhow, bail};
use mynah::{Keyword, KeywordSpotter, TokenTable};

/// Gathers the phrases.
///
/// # Errors
///
/// One can't be parsed or spelled, or stands twice; named by its option, or by its file and line.
/// The file can't be read or has none.
pub fn collect(
    options: &[String],
    file: Option<&Path>,
    tokens: &TokenTable,
) -> Result<Vec<Keyword>> {
    let mut keywords = Vec::new();
    for text in options {
        let place = format!("--keyword {text:?}");
        keywords.push((text.parse().with_context(|| place.clone())?, place));
    }
    if let Some(file) = file {
        keywords.extend(read(file)?);
    }
    let mut places = HashMap::new();
    for (keyword, place) in &keywords {
        KeywordSpotter::new(slice::from_ref(keyword), tokens).with_context(|| place.clone())?;
        let words = keyword.phrase.to_lowercase();
        let words: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
        if let Some(first) = places.insert(words, place) {
            bail!("{place}: the same phrase as {first}; remove one of them");
        }
    }
    Ok(keywords.into_iter().map(|(keyword, _)| keyword).collect())
}

/// Reads a file's phrases and their places.
fn read(file: &Path) -> Result<Vec<(Keyword, String)>> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| name.clone())?;
    let list = Keyword::parse_list(&text).with_context(|| name.clone())?;
    if list.is_empty() {
        return Err(anyhow!("no phrases; write one a line, as in `lights off`").context(name));
    }
    let place = |(line, keyword)| (keyword, format!("{name}:{line}"));
    Ok(list.into_iter().map(place).collect())
}
