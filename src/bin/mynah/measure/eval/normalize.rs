//! What references and hypotheses both go through before they are compared.

/// Upper case; `’` becomes `'`; all but A–Z and the apostrophe separates words; single spaces.
///
/// The same as `normalize` in `models/recipe/text.py`.
pub fn normalize(text: &str) -> String {
    let upper = text.to_uppercase().replace('’', "'");
    let words = upper.split(|c: char| !(c.is_ascii_uppercase() || c == '\''));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalization_is_that_of_the_recipe() {
        // Right-hand sides were printed by models/recipe/text.py.
        let cases = [
            ("Hello,  world!", "HELLO WORLD"),
            ("don’t 'stop'", "DON'T 'STOP'"),
            ("twenty-one cafés\tat 7 o'clock\n", "TWENTY ONE CAF S AT O'CLOCK"),
            ("Straße ﬁne", "STRASSE FINE"),
            (" … ", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(normalize(text), expected, "{text:?}");
        }
    }
}
