//! Punctuates and capitalizes recognized text, an utterance a line, from standard input.
//!
//!     echo "where is the a p i key i think it was here at seven thirty p m" | tr a-z A-Z | cargo run --release --example format_text

use std::io::{self, BufRead};

use mynah::{Model, TextFormatter, TextFormatterConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let punctuation = Model::builtin()?.punctuation().cloned();
    let config = TextFormatterConfig { punctuation, ..TextFormatterConfig::default() };
    let mut formatter = TextFormatter::new(config);
    for line in io::stdin().lock().lines() {
        println!("{}", formatter.text(&line?));
    }
    Ok(())
}
