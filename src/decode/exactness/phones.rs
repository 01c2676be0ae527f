//! The words of phones, and the lattice, against the enumeration of all readings.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::super::lattice::LATTICE_MARGIN;
use super::super::token_passing::TokenPassing;
use super::super::{
    GrammarConstraint, GrammarMatch, Hotword, LmFusion, Path, PrefixBeamConfig, Rescoring,
};
use super::{TOKENS, enumerate, hotwords, hotwords_score, language_model, log_probs, table};
use super::{unlimited, words_score};
use crate::grammar::Grammar;
use crate::lexicon::Lexicon;
use crate::lm::RecurrentModel;

/// Words that the sample language model has, and one that it lacks; `AB` and `BA` can be said alike.
const PRONUNCIATIONS: [(&str, &[u32]); 6] =
    [("A", &[1]), ("AB", &[1, 2]), ("AB", &[2]), ("B", &[2]), ("BA", &[2, 1]), ("BBB", &[1, 1])];

fn lexicon() -> Lexicon {
    let text = "A\tA\nAB\tAB B\nB\tB\nBA\tBA\nBBB\tAA";
    Lexicon::parse("<blank>\nP\nQ", text).unwrap()
}

/// All sequences of pronounced words whose phones are these.
fn readings(phones: &[u32]) -> Vec<Vec<usize>> {
    if phones.is_empty() {
        return vec![Vec::new()];
    }
    let begins = |&(_, (_, said)): &(usize, &(&str, &[u32]))| phones.starts_with(said);
    let words = PRONUNCIATIONS.iter().enumerate().filter(begins);
    let with_rest = |(index, (_, said)): (usize, &(&str, &[u32]))| {
        readings(&phones[said.len()..]).into_iter().map(move |rest| [vec![index], rest].concat())
    };
    words.flat_map(with_rest).collect()
}

/// The texts of all readings of all phone sequences and their scores, the best first. Of the ways to say a text
/// the likeliest counts.
fn expected_of_phones(
    rows: &[Vec<f32>],
    model: Option<&LmFusion>,
    hotwords: &[Hotword],
) -> Vec<(f64, String)> {
    let knows = |word: &str| model.is_none_or(|model| model.ngrams.word_id(word).is_some());
    let mut expected = HashMap::<String, f64>::new();
    for (phones, found) in enumerate(rows, 0).iter().filter(|(phones, _)| !phones.contains(&3)) {
        for reading in readings(phones) {
            let words: Vec<_> = reading.iter().map(|&index| PRONUNCIATIONS[index].0).collect();
            let text = words.join(" ");
            if words.iter().all(|word| knows(word)) {
                let best = expected.entry(text).or_default();
                *best = found.sum.max(*best);
            }
        }
    }
    let score = |(text, sum): (String, f64)| {
        let words = model.map_or(0.0, |model| words_score(&text, model, hotwords));
        (sum.ln() + words + hotwords_score(&text, hotwords), text)
    };
    let mut expected: Vec<_> = expected.into_iter().map(score).collect();
    expected.sort_by(|a, b| b.0.total_cmp(&a.0));
    expected
}

fn search_of_phones(
    rows: &[Vec<f32>],
    model: Option<LmFusion>,
    hotwords: &[Hotword],
    nbest: usize,
    adjust: fn(TokenPassing) -> TokenPassing,
) -> Vec<(f64, String)> {
    let config = PrefixBeamConfig {
        hotwords: hotwords.into(),
        lexicon: Some(lexicon()),
        nbest,
        ..unlimited(model)
    };
    let table = table();
    let mut search = adjust(TokenPassing::new(&config, &lexicon(), &table).unwrap());
    for (frame, row) in (0..).zip(rows) {
        // The tokens' columns come first, and count nothing.
        let columns = [&[-1.0; TOKENS][..], &row[..3]].concat();
        search.accept(frame, &columns);
    }
    let text = |path: &Path| table.text(path.tokens.iter().map(|token| token.id));
    search.finals().iter().map(|path| (path.score, text(path))).collect()
}

/// Compares all texts that are not far behind the best with what the search finds, by score.
fn compare_phones(
    rows: &[Vec<f32>],
    model: Option<LmFusion>,
    hotwords: &[Hotword],
) -> Result<(), TestCaseError> {
    let expected = expected_of_phones(rows, model.as_ref(), hotwords);
    let all = TokenPassing::without_recombination;
    let found = search_of_phones(rows, model, hotwords, usize::MAX, all);
    let near = |margin: f64| expected.partition_point(|e| e.0 >= expected[0].0 - margin);
    let margin = near(LATTICE_MARGIN - 1e-3)..=near(LATTICE_MARGIN + 1e-3);
    prop_assert!(margin.contains(&found.len()), "{} {margin:?}", found.len());
    for (found, text) in &found {
        let score = expected.iter().find(|(_, other)| other == text).map(|(score, _)| *score);
        prop_assert!(
            score.is_some_and(|score| (found - score).abs() < 1e-4),
            "{text}: {found} {score:?}"
        );
    }
    Ok(())
}

/// Looks for the best reading among the texts of the lattice, the first of which is what the search finds
/// alone.
fn compare_lattice(rows: &[Vec<f32>], model: Option<LmFusion>) -> Result<(), TestCaseError> {
    let expected = expected_of_phones(rows, model.as_ref(), &[]);
    let alone = search_of_phones(rows, model.clone(), &[], 1, |search| search);
    // Of those with the same future only the best is followed, by the sum of its alignments so far.
    prop_assert!(alone[0].0 <= expected[0].0 + 1e-4);
    let found = search_of_phones(rows, model, &[], usize::MAX, |search| search);
    prop_assert_eq!(&found[0], &alone[0]);
    prop_assert!(found.is_sorted_by(|a, b| a.0 >= b.0));
    let texts: HashSet<_> = found.iter().map(|(_, text)| text).collect();
    prop_assert_eq!(texts.len(), found.len());
    prop_assert!(texts.contains(&expected[0].1));
    Ok(())
}

/// Compares the scores of texts with those that are ranked anew.
fn compare_rescored(rows: &[Vec<f32>]) -> Result<(), TestCaseError> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words.rnn");
    let recurrent = RecurrentModel::load(file).unwrap();
    let rescoring = Rescoring { recurrent, share: 0.6, hypotheses: usize::MAX };
    let model = LmFusion { rescoring: Some(rescoring.clone()), ..language_model() };
    let by_default = search_of_phones(rows, Some(model.clone()), &[], 1, |search| search);
    prop_assert_eq!(
        &by_default[0],
        &search_of_phones(rows, Some(language_model()), &[], 1, |s| s)[0]
    );
    let before = search_of_phones(rows, Some(language_model()), &[], usize::MAX, |search| search);
    let rescore = |mut search: TokenPassing| {
        search.rescore_finals();
        search
    };
    let after = search_of_phones(rows, Some(model.clone()), &[], 1, rescore);
    prop_assert_eq!(after.len(), before.len());
    prop_assert!(after.is_sorted_by(|a, b| a.0 >= b.0));
    let mut rescorer = rescoring.rescorer(&model.ngrams);
    for (score, text) in after {
        let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        let old = before.iter().find(|(_, other)| *other == text).unwrap().0;
        let expected = old + f64::from(model.weight) * rescorer.gain(&words);
        prop_assert!((score - expected).abs() < 1e-4, "{text}: {score} {expected}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn words_of_phones_score_as_their_phones_and_their_words(rows in log_probs()) {
        compare_phones(&rows, None, &[])?;
        compare_phones(&rows, Some(language_model()), &[])?;
        compare_phones(&rows, Some(language_model()), &hotwords(&["ab", "b a"]))?;
    }

    #[test]
    fn the_lattice_has_what_recombination_drops(rows in log_probs()) {
        compare_lattice(&rows, Some(language_model()))?;
    }

    #[test]
    fn finals_are_ranked_by_both_models_where_that_is_asked_for(rows in log_probs()) {
        compare_rescored(&rows)?;
    }
}

/// The lattice of an utterance without end is bounded, and its first text is that of a search without one.
#[test]
fn a_lattice_is_bounded() {
    let run = |nbest: usize, frames: u64| {
        let config = PrefixBeamConfig {
            beam: 30,
            nbest,
            lexicon: Some(lexicon()),
            ..unlimited(Some(language_model()))
        };
        let mut search = TokenPassing::new(&config, &lexicon(), &table()).unwrap();
        let mut noise = 1u32;
        for frame in 0..frames {
            let mut row = [-1.0; TOKENS + 3];
            for value in &mut row[TOKENS..] {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *value = -((noise >> 16) as f32) / 16_384.0;
            }
            search.accept(frame, &row);
        }
        search
    };
    let (with, without) = (run(20, 20_000), run(1, 20_000));
    let finals = with.finals();
    assert_eq!(finals.len(), 20);
    assert_eq!(finals[0].tokens, without.finals()[0].tokens);
    for path in &finals {
        assert!(path.tokens.is_sorted_by_key(|token| token.frame));
    }
    assert!(with.remembered() < 500_000, "{}", with.remembered());
}

/// What no encoder gives is survived.
#[test]
fn numbers_that_are_none_do_no_harm() {
    let config = PrefixBeamConfig {
        nbest: 5,
        lexicon: Some(lexicon()),
        ..unlimited(Some(language_model()))
    };
    let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0];
    for number in 0..values.len().pow(6) {
        let mut search = TokenPassing::new(&config, &lexicon(), &table()).unwrap();
        for frame in 0..6 {
            let value = |column: usize| values[((number >> (frame * 2)) + column) & 3];
            let row: [f32; TOKENS + 3] = std::array::from_fn(value);
            search.accept(frame as u64, &row);
        }
        assert!(!search.finals().is_empty());
    }
}

/// Compares what a grammar allows with what the search finds.
fn compare_grammar(rows: &[Vec<f32>], rules: &str) -> Result<(), TestCaseError> {
    let text = format!("#JSGF V1.0; grammar test; public <test> = {rules};");
    let grammar = Grammar::parse(&text).unwrap();
    let constraint = Some(GrammarConstraint { grammar: grammar.clone(), threshold: 0.0 });
    let config = PrefixBeamConfig { constraint, nbest: usize::MAX, ..unlimited(None) };
    let table = table();
    let mut search = TokenPassing::new(&config, &lexicon(), &table).unwrap();
    for (frame, row) in (0..).zip(rows) {
        search.accept(frame, &[&[-1.0; TOKENS][..], &row[..3]].concat());
    }
    let allowed = |text: &str| text.is_empty() || grammar.accepts(text);
    let mut expected = expected_of_phones(rows, None, &[]);
    expected.retain(|(_, text)| allowed(text));
    let finals = search.finals();
    let text = |path: &Path| table.text(path.tokens.iter().map(|token| token.id));
    let score = |path: &Path| expected.iter().find(|e| e.1 == text(path)).map(|e| e.0);
    for path in &finals {
        prop_assert!(allowed(&text(path)), "{rules}: {}", text(path));
        let is_phrase = matches!(path.outcome, GrammarMatch::Phrase { .. });
        prop_assert!(is_phrase);
    }
    // Others are put together from what was merged, perhaps where too few frames are left.
    prop_assert!(score(&finals[0]).is_some_and(|score| finals[0].score <= score + 1e-4));
    prop_assert!(finals.iter().any(|path| text(path) == expected[0].1));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_grammar_allows_its_phrases_alone(rows in log_probs()) {
        for rules in ["a (b | a b)", "(a | [a] ba)+", "b* [a]", "a a | a b | bbb [b b]"] {
            compare_grammar(&rows, rules)?;
        }
    }
}
