//! The bytes of one execution, taken from the front.

/// What of an input is not used yet.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte; 0 at the end.
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// A number below `count`, which is not 0.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    /// As many bytes as there are, `count` at most.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Text up to the next zero, or to the end.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(self.section()).into_owned()
    }

    /// The bytes up to the next zero, or to the end.
    pub fn section(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap_or(self.0.len());
        let section = self.take(end);
        self.byte();
        section
    }

    pub fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }

    /// The rest as `columns` natural log-probabilities a row: most of them are in the range of real ones, few are no
    /// numbers at all.
    pub fn log_probs(&mut self, columns: usize, most_rows: usize) -> Vec<f32> {
        let value = |&byte: &u8| match byte {
            255 => f32::NAN,
            254 => f32::INFINITY,
            253 => f32::NEG_INFINITY,
            252 => f32::MIN_POSITIVE / 2.0,
            251 => 1e30,
            byte => -f32::from(byte) / 16.0,
        };
        // A row is a byte that names the likeliest column, and its value, and that of the others.
        let row = |bytes: &[u8]| {
            let (best, own, others) = (bytes[0], bytes[1], bytes[2]);
            let mut row = vec![value(&others); columns];
            row[usize::from(best) % columns] = value(&own);
            row
        };
        self.rest().chunks_exact(3).take(most_rows).flat_map(row).collect()
    }
}
