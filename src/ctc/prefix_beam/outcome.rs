//! What a search has found.

use super::PrefixBeam;
use crate::ctc::arena::{Arena, Link};
use crate::ctc::entry::{Entry, Text};
use crate::ctc::lattice::End;
use crate::ctc::prefix_tree::Prefix;
use crate::ctc::{Outcome, Path, Token};
use crate::lm::LexiconNode;

impl PrefixBeam {
    /// The best prefix so far, its last word perhaps unfinished.
    pub fn partial(&self) -> Path {
        let (entry, score) = self.best_now();
        self.path(entry, score, &self.common())
    }

    /// What may be an utterance that ends here, the best first; never none: the prefixes of the beam, or
    /// with phones as many texts as are asked for. The empty prefix, which stands for silence, always may.
    pub fn finals(&self) -> Vec<Path> {
        let common = if self.rescores() { Vec::new() } else { self.common() };
        let ends = self.beam.iter().filter(|entry| self.may_end(entry));
        let scored = ends.map(|entry| (entry, self.final_score(entry)));
        let has_lattice = self.hears_phones && self.recombines && self.hypotheses() > 1;
        let mut paths: Vec<_> = match has_lattice {
            true => self.paths_of_lattice(scored, &common),
            false => scored.map(|(entry, score)| self.path(entry, score, &common)).collect(),
        };
        if self.rescores() {
            paths.sort_by(|a, b| b.score.total_cmp(&a.score));
            paths.truncate(self.hypotheses());
            self.fusion.rescore(&mut paths);
        }
        paths.sort_by(|a, b| b.score.total_cmp(&a.score));
        if paths.is_empty() && self.hears_phones {
            // All were cut off within a word.
            let (entry, score) = self.best_now();
            paths.push(self.path(entry, score, &common));
        }
        if paths.is_empty() {
            let outcome = Outcome::SomethingElse { fit: 0.0 };
            paths.push(Path { tokens: self.judge.heard(), stable: 0, score: 0.0, outcome });
        }
        paths
    }

    /// Whether the prefix may stand for an utterance that ends here.
    fn may_end(&self, entry: &Entry) -> bool {
        let Text { grammar, said, .. } = entry.text;
        self.is_root(entry) || (self.bounds.end(grammar) && said == LexiconNode::ROOT)
    }

    /// The steps that all prefixes of the beam begin with, the last first.
    fn common(&self) -> Vec<Link> {
        let arena = &self.prefixes.arena;
        let links = self.beam.iter().map(|entry| entry.prefix);
        let common = links.reduce(|a, b| arena.common(a, b)).unwrap_or(Arena::<Prefix>::NONE);
        let mut common: Vec<_> = arena.links(common).collect();
        // The empty prefix is a link too.
        common.pop();
        common
    }

    pub(super) fn final_score(&self, entry: &Entry) -> f64 {
        entry.any().sum + self.fusion.finish(&entry.text.fusion)
    }

    fn path(&self, entry: &Entry, score: f64, common: &[Link]) -> Path {
        let prefixes = self.prefixes.arena.links(entry.prefix);
        let starts = self.starts.links(entry.any().start);
        // The empty prefix's token belongs to the utterance before, and has no start in this one.
        let steps: Vec<_> = prefixes.zip(starts).collect();
        self.path_of(&steps, entry.any().best, score, common)
    }

    fn paths_of_lattice<'a>(
        &self,
        ends: impl Iterator<Item = (&'a Entry, f64)>,
        common: &[Link],
    ) -> Vec<Path> {
        let end = |(entry, score): (&Entry, f64)| End {
            prefix: entry.prefix,
            start: entry.any().start,
            score,
        };
        let ends: Vec<_> = ends.map(end).collect();
        let (prefixes, starts) = (&self.prefixes.arena, &self.starts);
        let routes = self.lattice.best(prefixes, starts, &ends, self.hypotheses());
        routes.iter().map(|route| self.path_of(&route.steps, 0.0, route.score, common)).collect()
    }

    /// A path by its steps, the last first. `fit` is the log-probability of its best alignment; what it has
    /// in common with `common` is stable.
    fn path_of(&self, steps: &[(Link, Link)], fit: f64, score: f64, common: &[Link]) -> Path {
        let step = |&(prefix, start): &(Link, Link)| {
            let (prefix, start) = (self.prefixes.arena.get(prefix), self.starts.get(start));
            let token = Token { id: prefix.token?, frame: start.frame, log_prob: start.log_prob };
            Some((token, prefix.word))
        };
        let pairs = steps.iter().rev().zip(common.iter().rev());
        let common = pairs.take_while(|((prefix, _), common)| prefix == *common).count();
        let mut steps: Vec<_> = steps.iter().rev().filter_map(step).collect();
        let (mut tokens, stable) = match self.pronouncer.as_deref().filter(|_| self.hears_phones) {
            Some(pronouncer) => {
                (pronouncer.spell(&steps), pronouncer.spell(&steps[..common]).len())
            }
            None => (steps.drain(..).map(|(token, _)| token).collect(), common),
        };
        let outcome = self.judge.judge(&self.bounds, fit, tokens.len());
        let stable = match outcome {
            Outcome::Unrestricted => stable,
            Outcome::Phrase { .. } => 0,
            Outcome::SomethingElse { .. } => {
                tokens = self.judge.heard();
                0
            }
        };
        Path { tokens, stable, score, outcome }
    }
}
