//! Prefix beam search against the enumeration of all alignments.

mod phones;

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::prefix_beam::PrefixBeam;
use super::{GrammarConstraint, GrammarMatch, Hotword, LmFusion, PrefixBeamConfig, Token};
use crate::grammar::Grammar;
use crate::lexicon::tokens::{TokenId, TokenTable};
use crate::lm::samples::{self, Oracle};

const TOKENS: usize = 4;
const FRAMES: usize = 5;

/// What enumeration finds of one token sequence.
struct Found {
    sum: f64,
    best: f64,
    tokens: Vec<Token>,
}

fn table() -> TokenTable {
    TokenTable::parse("<blank>\n▁\nA\nB", TokenId(0)).unwrap()
}

fn pieces() -> TokenTable {
    TokenTable::parse("<blank>\n▁A\nB\n▁BA", TokenId(0)).unwrap()
}

/// Frames of log-probabilities.
fn log_probs() -> impl Strategy<Value = Vec<Vec<f32>>> {
    let row = prop::collection::vec(-4.0f32..0.0, TOKENS).prop_map(|row| {
        let sum: f32 = row.iter().map(|value| value.exp()).sum();
        row.iter().map(|value| value - sum.ln()).collect()
    });
    prop::collection::vec(row, FRAMES)
}

fn unlimited(language_model: Option<LmFusion>) -> PrefixBeamConfig {
    PrefixBeamConfig {
        beam: usize::MAX,
        token_threshold: f32::NEG_INFINITY,
        score_margin: f32::INFINITY,
        nbest: 1,
        max_unstable_frames: None,
        language_model,
        ..PrefixBeamConfig::default()
    }
}

fn language_model() -> LmFusion {
    LmFusion {
        ngrams: samples::model(),
        weight: 0.7,
        word_insertion_bonus: 0.4,
        oov_penalty: 1.5,
        rescoring: None,
    }
}

/// Sums up all alignments, by token sequence; `before` is the token that ended what came before.
fn enumerate(rows: &[Vec<f32>], before: u32) -> HashMap<Vec<u32>, Found> {
    let mut all: HashMap<Vec<u32>, Found> = HashMap::new();
    for number in 0..TOKENS.pow(rows.len() as u32) {
        let path: Vec<u32> =
            (0..rows.len()).map(|t| (number / TOKENS.pow(t as u32) % TOKENS) as u32).collect();
        let score = path.iter().zip(rows).map(|(&id, row)| f64::from(row[id as usize])).sum();
        let mut previous = before;
        let mut tokens = Vec::new();
        for ((frame, &id), row) in (0..).zip(&path).zip(rows) {
            if id != 0 && id != previous {
                tokens.push(Token { id: TokenId(id), frame, log_prob: row[id as usize] });
            }
            previous = id;
        }
        let sequence = tokens.iter().map(|token| token.id.0).collect();
        let none = Found { sum: 0.0, best: f64::NEG_INFINITY, tokens: Vec::new() };
        let found = all.entry(sequence).or_insert(none);
        found.sum += f64::exp(score);
        if score > found.best {
            (found.best, found.tokens) = (score, tokens);
        }
    }
    all
}

/// What the words of a text add to its score, by their definition: unknown words that stand in a
/// hotword pay no penalty.
fn words_score(text: &str, model: &LmFusion, hotwords: &[Hotword]) -> f64 {
    let oracle = Oracle::new();
    let listed: String =
        hotwords.iter().map(|hotword| hotword.phrase.to_uppercase() + " ").collect();
    let is_listed = |word: &str| listed.split_whitespace().any(|other| other == word);
    let mut history = vec!["<s>"];
    let mut score = 0.0;
    for word in text.split_whitespace() {
        let known = oracle.knows(word);
        history.push(if known { word } else { "<unk>" });
        score += f64::from(model.weight) * oracle.log_prob(&history)
            + f64::from(model.word_insertion_bonus);
        score -= if known || is_listed(word) {
            0.0
        } else {
            f64::from(model.oov_penalty) * word.len() as f64
        };
    }
    history.push("</s>");
    score + f64::from(model.weight) * oracle.log_prob(&history)
}

fn hotwords(phrases: &[&str]) -> Vec<Hotword> {
    let boosts = [0.7, 1.3, 2.1];
    let hotword = |(&phrase, boost): (&&str, f32)| Hotword { boost, ..Hotword::new(phrase) };
    phrases.iter().zip(boosts).map(hotword).collect()
}

/// What the hotwords of a text add to its score: for each place where one stands as whole words its
/// boost for every letter.
fn hotwords_score(text: &str, hotwords: &[Hotword]) -> f64 {
    let text: Vec<_> = text.split_whitespace().collect();
    let score = |Hotword { phrase, boost }: &Hotword| {
        let phrase = phrase.to_uppercase();
        let words: Vec<_> = phrase.split_whitespace().collect();
        let places = text.windows(words.len()).filter(|window| *window == words).count();
        places as f64 * phrase.replace(' ', "").len() as f64 * f64::from(*boost)
    };
    hotwords.iter().map(score).sum()
}

fn compare(
    rows: &[Vec<f32>],
    table: &TokenTable,
    model: Option<LmFusion>,
    hotwords: &[Hotword],
) -> Result<(), TestCaseError> {
    let config = PrefixBeamConfig { hotwords: hotwords.into(), ..unlimited(model.clone()) };
    let mut search = PrefixBeam::new(&config, table).unwrap();
    (0..).zip(rows).for_each(|(frame, row)| _ = search.accept(frame, row));
    let all = enumerate(rows, 0);
    let finals = search.finals();
    prop_assert_eq!(finals.len(), all.len());
    prop_assert!(finals.is_sorted_by(|a, b| a.score >= b.score));
    for path in finals {
        let ids: Vec<u32> = path.tokens.iter().map(|token| token.id.0).collect();
        let found = &all[&ids];
        let text = table.text(path.tokens.iter().map(|token| token.id));
        let words = model.as_ref().map_or(0.0, |model| words_score(&text, model, hotwords));
        let expected = found.sum.ln() + words + hotwords_score(&text, hotwords);
        prop_assert!((path.score - expected).abs() < 1e-4, "{text}: {} {expected}", path.score);
        prop_assert_eq!(&path.tokens, &found.tokens, "{}", text);
    }
    Ok(())
}

/// As [`compare`], the sequences being those that a grammar allows.
fn compare_restricted(
    rows: &[Vec<f32>],
    table: &TokenTable,
    rules: &str,
) -> Result<(), TestCaseError> {
    let text = format!("#JSGF V1.0; grammar test; public <test> = {rules};");
    let grammar = Grammar::parse(&text).unwrap();
    let constraint = Some(GrammarConstraint { grammar: grammar.clone(), threshold: 0.0 });
    let config = PrefixBeamConfig { constraint, ..unlimited(None) };
    let mut search = PrefixBeam::new(&config, table).unwrap();
    (0..).zip(rows).for_each(|(frame, row)| _ = search.accept(frame, row));
    let all = enumerate(rows, 0);
    let boundary = |id: &u32| table.token(TokenId(*id)).starts_with(TokenTable::WORD_BOUNDARY);
    let is_alone = |id: &u32| table.token(TokenId(*id)).chars().eq([TokenTable::WORD_BOUNDARY]);
    // One boundary between words, at most one around them; no tokens are silence.
    let is_spelled =
        |ids: &[u32]| !ids.windows(2).any(|pair| is_alone(&pair[0]) && boundary(&pair[1]));
    let best_path = |row: &Vec<f32>| f64::from(row.iter().copied().fold(f32::MIN, f32::max));
    let free: f64 = rows.iter().map(best_path).sum();
    let text = |ids: &[u32]| table.text(ids.iter().copied().map(TokenId));
    let allowed = |ids: &[u32]| ids.is_empty() || grammar.accepts(&text(ids));
    let expected = all.keys().filter(|ids| is_spelled(ids) && allowed(ids)).count();
    let finals = search.finals();
    prop_assert_eq!(finals.len(), expected);
    prop_assert!(finals.is_sorted_by(|a, b| a.score >= b.score));
    for path in finals {
        let ids: Vec<u32> = path.tokens.iter().map(|token| token.id.0).collect();
        prop_assert!(is_spelled(&ids) && allowed(&ids), "{}", text(&ids));
        prop_assert!((path.score - all[&ids].sum.ln()).abs() < 1e-6);
        prop_assert_eq!(&path.tokens, &all[&ids].tokens);
        let GrammarMatch::Phrase { fit } = path.outcome else { panic!("not judged: {path:?}") };
        let tokens = ids.len().max(1);
        let expected = ((all[&ids].best - free) / tokens as f64).exp();
        prop_assert!((f64::from(fit) - expected).abs() < 1e-5, "{fit} {expected}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_unlimited_beam_sums_all_alignments(rows in log_probs()) {
        compare(&rows, &table(), None, &[])?;
    }

    #[test]
    fn words_are_scored_as_defined(rows in log_probs()) {
        compare(&rows, &table(), Some(language_model()), &[])?;
        compare(&rows, &pieces(), Some(language_model()), &[])?;
    }

    #[test]
    fn hotwords_are_scored_as_defined(rows in log_probs()) {
        for phrases in [["a", "b a", "bb"], ["ba", "a b", "b"], ["aab", "b bb", "abb a"]] {
            let hotwords = hotwords(&phrases);
            compare(&rows, &table(), None, &hotwords)?;
            compare(&rows, &table(), Some(language_model()), &hotwords)?;
        }
        let hotwords = hotwords(&["ab", "a ba", "bab"]);
        compare(&rows, &pieces(), None, &hotwords)?;
        compare(&rows, &pieces(), Some(language_model()), &hotwords)?;
    }

    /// What a grammar allows is found with all its alignments, and nothing else.
    #[test]
    fn a_restricted_beam_sums_the_alignments_of_the_grammar(rows in log_probs()) {
        for rules in ["a (b | a b)", "(a | [a] b a)+", "b* [a]", "a a | a b | b [b b]"] {
            compare_restricted(&rows, &table(), rules)?;
        }
        for rules in ["a (ba | ab)", "(ab | ba)+", "[a] abb | <NULL>"] {
            compare_restricted(&rows, &pieces(), rules)?;
        }
    }

    /// Also where a prefix leaves the beam and comes back, nothing is counted twice.
    #[test]
    fn a_narrow_beam_never_counts_more_than_there_is(rows in log_probs(), beam in 1usize..6) {
        let config = PrefixBeamConfig { beam, ..unlimited(None) };
        let mut search = PrefixBeam::new(&config, &table()).unwrap();
        (0..).zip(&rows).for_each(|(frame, row)| _ = search.accept(frame, row));
        let all = enumerate(&rows, 0);
        let finals = search.finals();
        prop_assert!((1..=beam).contains(&finals.len()));
        let mut seen = HashSet::new();
        for path in finals {
            let ids: Vec<u32> = path.tokens.iter().map(|token| token.id.0).collect();
            prop_assert!(path.score <= all[&ids].sum.ln() + 1e-6);
            prop_assert!(seen.insert(ids));
        }
    }

    /// The next utterance begins behind the last token of the one before.
    #[test]
    fn an_utterance_goes_on_from_the_token_before(rows in log_probs()) {
        let mut search = PrefixBeam::new(&unlimited(None), &table()).unwrap();
        // Nothing but A in the first frame, so that the carried token is known.
        search.accept(0, &[f32::NEG_INFINITY, f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY]);
        search.start_utterance();
        (0..).zip(&rows).for_each(|(frame, row)| _ = search.accept(frame, row));
        let all = enumerate(&rows, 2);
        let finals = search.finals();
        prop_assert_eq!(finals.len(), all.len());
        for path in finals {
            let ids: Vec<u32> = path.tokens.iter().map(|token| token.id.0).collect();
            prop_assert!((path.score - all[&ids].sum.ln()).abs() < 1e-6);
            prop_assert_eq!(&path.tokens, &all[&ids].tokens);
        }
    }
}

/// The memory of hour-long utterances is bounded, and what is forgotten is not needed.
#[test]
fn forgetting_the_unused_changes_nothing() {
    let config = PrefixBeamConfig { beam: 8, ..unlimited(Some(language_model())) };
    let run = |frames: u64| {
        let mut search = PrefixBeam::new(&config, &table()).unwrap();
        let mut noise = 1u32;
        for frame in 0..frames {
            let row: [f32; TOKENS] = std::array::from_fn(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                -((noise >> 16) as f32) / 16_384.0
            });
            search.accept(frame, &row);
        }
        search
    };
    let search = run(20_000);
    let tokens = search.partial().tokens;
    assert!(tokens.len() > 2000);
    assert!(tokens.is_sorted_by(|a, b| a.frame < b.frame));
    let earlier = run(19_000).partial().tokens;
    let common = tokens.iter().zip(&earlier).take_while(|(a, b)| a == b).count();
    assert!(common + 100 > earlier.len(), "{common} of {}", earlier.len());
    assert!(search.remembered() < 4 * tokens.len() + 20_000, "{}", search.remembered());
}

#[test]
fn values_out_of_range_are_refused() {
    let error = |config: PrefixBeamConfig| {
        PrefixBeam::new(&config, &table()).map(|_| ()).unwrap_err().to_string()
    };
    let default = PrefixBeamConfig::default;
    assert_eq!(
        error(PrefixBeamConfig { beam: 0, ..default() }),
        "a beam of 0 prefixes; it must be at least 1"
    );
    assert_eq!(
        error(PrefixBeamConfig { score_margin: -1.0, ..default() }),
        "a score margin of -1; it must be at least 0"
    );
    let model = LmFusion { weight: -0.5, ..language_model() };
    assert_eq!(
        error(PrefixBeamConfig { language_model: Some(model), ..default() }),
        "a language model weight of -0.5; it must be a number from 0 on"
    );
    let lower = TokenTable::parse("<blank>\n▁\na\nb", TokenId(0)).unwrap();
    assert_eq!(
        PrefixBeam::new(&unlimited(Some(language_model())), &lower)
            .map(|_| ())
            .unwrap_err()
            .to_string(),
        "none of the language model's 4 words can be spelled by the acoustic model's tokens; are \
         they in the same case?"
    );
}
