//! The size of what an ONNX file says beside its weights: a byte of it can become a hundred in memory.

use tract_onnx::prelude::TractResult;
use tract_onnx::tract_core::internal::{ensure, format_err};

/// The most bytes that are no weights.
const MOST_BYTES: usize = 4 << 20;

/// Fields of the format: a model's graph, a graph's weights, and these weights' values.
const GRAPH: u64 = 7;
const INITIALIZER: u64 = 5;
const VALUES: [u64; 2] = [4, 9];

/// A message's fields of bytes, by number; other fields are skipped.
struct Fields<'a>(&'a [u8]);

/// Refuses a file that says too much.
pub fn check(onnx: &[u8]) -> TractResult<()> {
    let weights: usize = Fields(onnx)
        .of(&[GRAPH])
        .flat_map(|graph| Fields(graph).of(&[INITIALIZER]))
        .flat_map(|tensor| Fields(tensor).of(&VALUES))
        .map(<[u8]>::len)
        .sum();
    let others = onnx.len() - weights;
    ensure!(
        others <= MOST_BYTES,
        "the file has {others} bytes that are no weights; at most {MOST_BYTES} are taken"
    );
    Fields(onnx).try_for_each(|field| field.map(drop))
}

impl<'a> Fields<'a> {
    /// The bytes of the fields with these numbers, up to damage.
    fn of(self, numbers: &[u64]) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.map_while(Result::ok);
        fields.filter(|(number, _)| numbers.contains(number)).map(|(_, bytes)| bytes)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(number);
            }
        }
        None
    }

    /// The number of the next field and its bytes; none for a number.
    fn field(&mut self) -> Option<(u64, &'a [u8])> {
        let tag = self.varint()?;
        let length = match tag & 7 {
            0 => return self.varint().map(|_| (tag >> 3, &[][..])),
            1 => 8,
            2 => usize::try_from(self.varint()?).ok()?,
            5 => 4,
            _ => return None,
        };
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some((tag >> 3, bytes))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = TractResult<(u64, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| format_err!("is no ONNX file, or is cut short")))
    }
}
