//! Misses against false alarms over all thresholds (detection error trade-off, Martin et al. 1997).

use std::{
    io::{self, Write},
    ops::AddAssign,
    time::Duration,
};

/// The thresholds that are tried: 0.01, 0.02, … 0.99.
pub const THRESHOLDS: usize = 99;

/// False alarms per hour at which misses are told.
const OPERATING_POINTS: [f64; 4] = [0.5, 1.0, 2.0, 5.0];

/// What was counted of one phrase.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    pub occurrences: u64,
    /// The length of the recordings without the phrase.
    pub background: Duration,
    /// By threshold, [`THRESHOLDS`] of them.
    pub missed: Vec<u64>,
    pub false_alarms: Vec<u64>,
}

/// One threshold's place on the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub threshold: f32,
    /// From 0 to 1.
    pub miss_rate: f64,
    pub false_alarms_per_hour: f64,
}

/// One phrase's curve, from the lowest threshold to the highest.
#[derive(Clone, Debug)]
pub struct Curve {
    pub phrase: String,
    pub occurrences: u64,
    pub background: Duration,
    pub points: Vec<Point>,
}

/// The threshold at this index.
pub fn threshold(index: usize) -> f32 {
    (index + 1) as f32 / (THRESHOLDS + 1) as f32
}

impl Default for Counts {
    fn default() -> Self {
        let none = vec![0; THRESHOLDS];
        Self {
            occurrences: 0,
            background: Duration::ZERO,
            missed: none.clone(),
            false_alarms: none,
        }
    }
}

impl Counts {
    /// Counts a recording with so many occurrences and, by threshold, so many hits.
    pub fn recording(occurrences: u64, hits: &[u64], length: Duration) -> Self {
        Self {
            occurrences,
            background: if occurrences == 0 { length } else { Duration::ZERO },
            missed: hits.iter().map(|&hits| occurrences.saturating_sub(hits)).collect(),
            false_alarms: hits.iter().map(|&hits| hits.saturating_sub(occurrences)).collect(),
        }
    }
}

impl AddAssign<&Counts> for Counts {
    fn add_assign(&mut self, other: &Counts) {
        self.occurrences += other.occurrences;
        self.background += other.background;
        self.missed.iter_mut().zip(&other.missed).for_each(|(sum, count)| *sum += count);
        let sums = self.false_alarms.iter_mut();
        sums.zip(&other.false_alarms).for_each(|(sum, count)| *sum += count);
    }
}

impl Curve {
    /// `counts` must have an occurrence and a background.
    pub fn new(phrase: String, counts: &Counts) -> Self {
        let hours = counts.background.as_secs_f64() / 3600.0;
        let point = |index| Point {
            threshold: threshold(index),
            miss_rate: counts.missed[index] as f64 / counts.occurrences as f64,
            false_alarms_per_hour: counts.false_alarms[index] as f64 / hours,
        };
        Self {
            phrase,
            occurrences: counts.occurrences,
            background: counts.background,
            points: (0..THRESHOLDS).map(point).collect(),
        }
    }

    /// The point of the fewest misses among those with at most so many false alarms per hour.
    pub fn at(&self, false_alarms_per_hour: f64) -> Option<Point> {
        let allowed =
            self.points.iter().filter(|p| p.false_alarms_per_hour <= false_alarms_per_hour);
        // Of equals the highest threshold, which has the fewest false alarms.
        allowed.rev().copied().min_by(|a, b| a.miss_rate.total_cmp(&b.miss_rate))
    }
}

/// Writes the curves' operating points as a table, the phrases' mean below them.
///
/// A rate that no threshold reaches is a dash, and so is a mean over it.
pub fn write_table(out: &mut impl Write, curves: &[Curve], thresholds: &[f32]) -> io::Result<()> {
    let width = curves.iter().map(|curve| curve.phrase.chars().count()).max().unwrap_or(0).max(7);
    let rates = OPERATING_POINTS.map(|rate| format!("{rate:>11}")).join("  ");
    let over = "misses and thresholds at so many false alarms/h";
    writeln!(out, "{:width$}  {:>6}  {:>7}  {over}", "", "", "back-")?;
    let last = "at its threshold";
    writeln!(out, "{:width$}  {:>6}  {:>7}  {rates}  {last}", "phrase", "said", "ground")?;
    let mut sums = [Some(0.0); OPERATING_POINTS.len()];
    for (curve, &own) in curves.iter().zip(thresholds) {
        let points = OPERATING_POINTS.map(|rate| curve.at(rate));
        sums = std::array::from_fn(|i| Some(sums[i]? + points[i]?.miss_rate));
        let hours = curve.background.as_secs_f64() / 3600.0;
        write!(out, "{:width$}  {:>6}  {hours:>5.2} h", curve.phrase, curve.occurrences)?;
        for point in points {
            let threshold = point.map_or_else(String::new, |at| format!("{:.2}", at.threshold));
            write!(out, "  {} {threshold:>4}", percent(point.map(|point| point.miss_rate)))?;
        }
        let at = nearest(curve, own);
        let (miss, alarms) = (percent(Some(at.miss_rate)), at.false_alarms_per_hour);
        writeln!(out, "  {:.2}: {miss}, {alarms:.2}/h", at.threshold)?;
    }
    write!(out, "{:width$}  {:>6}  {:>7}", "mean", "", "")?;
    let count = curves.len() as f64;
    let means = sums.map(|sum| format!("  {:<11}", percent(sum.map(|sum| sum / count)))).concat();
    writeln!(out, "{}", means.trim_end())
}

/// The point whose threshold is nearest.
fn nearest(curve: &Curve, threshold: f32) -> Point {
    let distance = |point: &Point| (point.threshold - threshold).abs();
    let by_distance = |a: &&Point, b: &&Point| distance(a).total_cmp(&distance(b));
    *curve.points.iter().min_by(by_distance).expect("a curve has a point per threshold")
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| format!("{:>6}", "–"), |rate| format!("{:>4.1} %", 100.0 * rate))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// Hits by threshold: `low` below 0.5 and `high` from there on.
    fn hits(low: u64, high: u64) -> Vec<u64> {
        (0..THRESHOLDS).map(|index| if threshold(index) < 0.5 { low } else { high }).collect()
    }

    fn curve(phrase: &str) -> Curve {
        let mut counts = Counts::default();
        counts += &Counts::recording(1, &hits(1, 0), HOUR);
        counts += &Counts::recording(2, &hits(3, 2), HOUR);
        counts += &Counts::recording(0, &hits(2, 0), HOUR);
        counts += &Counts::recording(0, &hits(0, 1), HOUR);
        Curve::new(phrase.to_owned(), &counts)
    }

    #[test]
    fn hits_beyond_the_occurrences_are_false_alarms() {
        let curve = curve("a");
        assert_eq!((curve.occurrences, curve.background), (3, 2 * HOUR));
        let (low, high) = (curve.points[0], curve.points[98]);
        assert_eq!((low.miss_rate, low.false_alarms_per_hour), (0.0, 1.5));
        assert_eq!((high.miss_rate, high.false_alarms_per_hour), (1.0 / 3.0, 0.5));
        assert_eq!((low.threshold, high.threshold), (0.01, 0.99));
    }

    #[test]
    fn an_operating_point_has_the_fewest_misses_of_those_allowed() {
        let curve = curve("a");
        assert_eq!(curve.at(1.0).unwrap().miss_rate, 1.0 / 3.0);
        assert_eq!(curve.at(1.5).unwrap().miss_rate, 0.0);
        assert_eq!(curve.at(0.4), None);
    }

    #[test]
    fn the_table_has_a_line_per_phrase_and_their_mean() {
        let mut out = Vec::new();
        write_table(&mut out, &[curve("hey mynah"), curve("lights off")], &[0.25, 0.6]).unwrap();
        assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
                              back-  misses and thresholds at so many false alarms/h
        phrase        said   ground          0.5            1            2            5  at its threshold
        hey mynah        3   2.00 h  33.3 % 0.99  33.3 % 0.99   0.0 % 0.49   0.0 % 0.49  0.25:  0.0 %, 1.50/h
        lights off       3   2.00 h  33.3 % 0.99  33.3 % 0.99   0.0 % 0.49   0.0 % 0.49  0.60: 33.3 %, 0.50/h
        mean                         33.3 %       33.3 %        0.0 %        0.0 %
        "#);
    }
}
