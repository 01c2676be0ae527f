//! What changes between utterances, and while one goes on.

use super::*;
use crate::decode::{GrammarConstraint, GrammarMatch, Hotword, Path};
use crate::grammar::Grammar;

const LIKELY: f32 = -0.1;
const UNLIKELY: f32 = -5.0;

fn table() -> TokenTable {
    TokenTable::parse("<blank>\n▁\nA\nB\nC", TokenId(0)).unwrap()
}

/// Every letter is a phone, and `BA` and `CA` are said alike.
fn lexicon() -> Lexicon {
    Lexicon::parse("<blank>\nP\nQ\nR", "A\tA\nB\tB\nC\tC\nBA\tBA\nCA\tBA").unwrap()
}

fn search(config: PrefixBeamConfig) -> TokenPassing {
    TokenPassing::new(&config, &lexicon(), &table()).unwrap()
}

/// Takes a frame per phone, in which it is the likeliest.
fn say(search: &mut TokenPassing, phones: &[usize]) {
    for &phone in phones {
        let mut row = [UNLIKELY; 9];
        row[5 + phone] = LIKELY;
        search.accept(0, &row);
    }
}

fn text(path: &Path) -> String {
    table().text(path.tokens.iter().map(|token| token.id))
}

fn best(search: &TokenPassing) -> String {
    text(&search.finals()[0])
}

#[test]
fn hotwords_count_from_the_next_word_of_silence_on() {
    let mut search = search(PrefixBeamConfig::default());
    let set = |search: &mut TokenPassing, phrase| {
        search.set_hotwords(&[Hotword { boost: 3.0, ..Hotword::new(phrase) }], &table()).unwrap();
    };
    // A frame of noise begins words, but finishes none.
    say(&mut search, &[0]);
    set(&mut search, "ba");
    say(&mut search, &[2, 1, 0]);
    assert_eq!(best(&search), "BA");
    // From one list to another; this one has to wait for the next utterance.
    set(&mut search, "ca");
    assert!(search.has_pending());
    assert_eq!(best(&search), "BA");
    search.start_utterance();
    say(&mut search, &[0, 2, 1, 0]);
    assert_eq!(best(&search), "CA");
}

#[test]
fn grammars_come_and_go_between_utterances() {
    let mut search = search(PrefixBeamConfig::default());
    let constraint =
        |list: &str| GrammarConstraint { grammar: Grammar::parse(list).unwrap(), threshold: 0.3 };
    search.set_grammar(Some(&constraint("ba c\nb")), &table()).unwrap();
    say(&mut search, &[0, 2, 1, 0, 3, 0]);
    let path = search.finals().remove(0);
    assert_eq!((text(&path).as_str(), path.stable), ("BA C", 0));
    assert!(matches!(path.outcome, GrammarMatch::Phrase { fit } if fit > 0.9), "{path:?}");
    search.start_utterance();
    say(&mut search, &[0, 3, 0, 3, 0]);
    let path = search.finals().remove(0);
    assert!(matches!(path.outcome, GrammarMatch::OutOfGrammar { fit } if fit < 0.3), "{path:?}");
    assert!(!search.is_empty());
    // Nobody can say how it sounds.
    let error = search.set_grammar(Some(&constraint("ab")), &table()).unwrap_err();
    assert!(error.to_string().starts_with("line 1, column 1: word \"ab\": "), "{error}");
    search.set_grammar(None, &table()).unwrap();
    search.start_utterance();
    say(&mut search, &[0, 3, 0]);
    let path = search.finals().remove(0);
    assert_eq!((text(&path).as_str(), path.outcome), ("C", GrammarMatch::Unrestricted));
}

#[test]
fn silence_is_no_phrase_and_nothing_else() {
    let constraint = Some(GrammarConstraint::new(Grammar::parse("ba").unwrap()));
    let mut search = search(PrefixBeamConfig { constraint, ..PrefixBeamConfig::default() });
    say(&mut search, &[0, 0, 0]);
    let path = search.finals().remove(0);
    assert!(path.tokens.is_empty() && search.is_empty());
    assert!(matches!(path.outcome, GrammarMatch::Phrase { .. }));
}

#[test]
fn a_phone_that_goes_on_is_not_found_again() {
    let mut search = search(PrefixBeamConfig::default());
    say(&mut search, &[0, 3, 3]);
    assert_eq!(best(&search), "C");
    search.start_utterance();
    say(&mut search, &[3, 3, 0, 1, 0]);
    assert_eq!(best(&search), "A");
}

#[test]
fn old_words_are_settled_where_that_is_asked_for() {
    let config = PrefixBeamConfig { max_unstable_frames: Some(2), ..PrefixBeamConfig::default() };
    let mut search = search(config);
    for (frame, phone) in (0..).zip([1, 0, 0, 0, 0, 0, 3, 0]) {
        let mut row = [UNLIKELY; 9];
        // Another word that is nearly as likely.
        row[5 + phone] = LIKELY;
        row[5 + if phone == 1 { 2 } else { phone }] = LIKELY - 0.01;
        row[5 + phone] = LIKELY;
        search.accept(frame, &row);
    }
    let partial = search.partial();
    let settled = table().text(partial.tokens[..partial.stable].iter().map(|token| token.id));
    assert_eq!((text(&partial).as_str(), settled.trim()), ("A C", "A"));
}

#[test]
fn a_search_that_leaves_finals_follows_fewer_hypotheses() {
    let config = PrefixBeamConfig { beam: usize::MAX, nbest: 9, ..PrefixBeamConfig::default() };
    let mut search = search(config);
    assert_eq!(search.hypotheses(), 9);
    search.leave_finals();
    assert_eq!(search.hypotheses(), 1);
    assert!(search.limits.beam < usize::MAX);
    search.rescore_finals();
    assert_eq!((search.hypotheses(), search.limits.beam), (9, usize::MAX));
}
