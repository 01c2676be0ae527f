//! A least value by steps along each coordinate in turn (Hooke and Jeeves 1961, without its jumps).

/// Asks for the values of points, one after the other, and keeps the least.
pub struct PatternSearch<const N: usize> {
    best: [f32; N],
    least: f64,
    steps: [f32; N],
    halvings: usize,
    /// Points around the best that are still to be tried; the last is the next.
    waiting: Vec<[f32; N]>,
    tried: Vec<[f32; N]>,
    improved: bool,
}

impl<const N: usize> PatternSearch<N> {
    /// Starts at `start`. Where no step helps any more, the steps are halved, so many times.
    pub fn new(start: [f32; N], steps: [f32; N], halvings: usize) -> Self {
        Self {
            best: start,
            least: f64::INFINITY,
            steps,
            halvings,
            waiting: vec![start],
            tried: Vec::new(),
            improved: false,
        }
    }

    /// The point whose value is to be told next; `None` when the search has ended.
    pub fn next_point(&mut self) -> Option<[f32; N]> {
        loop {
            while let Some(&point) = self.waiting.last() {
                // A negative weight or penalty means nothing, and no point needs two looks.
                if point.iter().all(|&value| value >= 0.0) && !self.tried.contains(&point) {
                    return Some(point);
                }
                self.waiting.pop();
            }
            if !self.improved {
                self.halvings = self.halvings.checked_sub(1)?;
                self.steps.iter_mut().for_each(|step| *step /= 2.0);
            }
            self.improved = false;
            self.surround();
        }
    }

    /// Tells the value of the point that [`PatternSearch::next_point`] gave.
    pub fn report(&mut self, value: f64) {
        let Some(point) = self.waiting.pop() else { return };
        self.tried.push(point);
        if value < self.least {
            self.improved = true;
            (self.best, self.least) = (point, value);
            self.surround();
        }
    }

    /// The point of the least value told.
    pub fn best(&self) -> [f32; N] {
        self.best
    }

    fn surround(&mut self) {
        self.waiting.clear();
        for (coordinate, step) in self.steps.into_iter().enumerate() {
            for step in [-step, step] {
                let mut point = self.best;
                // Rounded, so that a point reached by two ways is the same.
                point[coordinate] = ((point[coordinate] + step) * 1e4).round() / 1e4;
                self.waiting.push(point);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(start: [f32; 2], value: impl Fn([f32; 2]) -> f64) -> ([f32; 2], usize) {
        let mut search = PatternSearch::new(start, [1.0, 1.0], 3);
        let mut points = Vec::new();
        while let Some(point) = search.next_point() {
            assert!(!points.contains(&point));
            points.push(point);
            search.report(value(point));
        }
        (search.best(), points.len())
    }

    #[test]
    fn a_bowl_is_searched_to_its_ground() {
        let bowl = |[x, y]: [f32; 2]| f64::from((x - 3.25).powi(2) + (y - 0.5).powi(2));
        let (best, points) = search([0.0, 4.0], bowl);
        assert!((best[0] - 3.25).abs() < 0.13 && (best[1] - 0.5).abs() < 0.13, "{best:?}");
        assert!(points < 60, "{points}");
    }

    #[test]
    fn values_below_zero_are_not_tried() {
        assert_eq!(search([1.0, 1.0], |[x, y]| f64::from(x + y)).0, [0.0, 0.0]);
    }
}
