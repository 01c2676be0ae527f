//! Integers of a few bits, and spans as a bit vector with select: what keeps n-grams small.

use super::blocks::Blocks;

/// Unsigned integers side by side, each in as many bits as the largest needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PackedInts {
    pub bits: u32,
    pub len: usize,
    /// The integers from the lowest bit of the first word on.
    pub words: Blocks,
}

/// How the elements of one list are shared out, in order, among the elements of another.
///
/// Unary: for each owner as many zeros as it has elements, then a one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SelectVector {
    owners: usize,
    bits: Blocks,
    /// The place of every [`SelectVector::STEP`]th one.
    places: Vec<u32>,
}

impl PackedInts {
    /// Packs `values`, none of which is greater than `max`.
    pub fn new(values: impl ExactSizeIterator<Item = u32>, max: u32) -> Self {
        let bits = (u32::BITS - max.leading_zeros()).max(1);
        let len = values.len();
        let mut words = vec![0; Self::words_for(len, bits)];
        for (index, value) in values.enumerate() {
            let (word, shift) = Self::place(index, bits);
            words[word] |= u64::from(value) << shift;
            if shift + bits > u64::BITS {
                words[word + 1] |= u64::from(value) >> (u64::BITS - shift);
            }
        }
        Self { bits, len, words: words.into() }
    }

    /// The 64-bit words that `len` integers of `bits` bits take.
    pub fn words_for(len: usize, bits: u32) -> usize {
        (len as u64 * u64::from(bits)).div_ceil(u64::from(u64::BITS)) as usize
    }

    pub fn get(&self, index: usize) -> u32 {
        let (word, shift) = Self::place(index, self.bits);
        let mut value = self.words.get(word) >> shift;
        if shift + self.bits > u64::BITS {
            value |= self.words.get(word + 1) << (u64::BITS - shift);
        }
        (value & ((1 << self.bits) - 1)) as u32
    }

    /// Where `value` stands among the elements from `start` to `end`, which must ascend.
    pub fn find(&self, start: usize, end: usize, value: u32) -> Option<usize> {
        let (mut low, mut high) = (start, end);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).cmp(&value) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    fn place(index: usize, bits: u32) -> (usize, u32) {
        let bit = index * bits as usize;
        (bit / u64::BITS as usize, (bit % u64::BITS as usize) as u32)
    }
}

impl SelectVector {
    const STEP: usize = 32;

    /// Takes how many elements each owner has.
    pub fn new(counts: &[u32]) -> Self {
        let elements: usize = counts.iter().map(|&count| count as usize).sum();
        let mut bits = vec![0u64; Self::words_for(counts.len(), elements)];
        let mut place = 0;
        for &count in counts {
            place += count as usize;
            bits[place / 64] |= 1 << (place % 64);
            place += 1;
        }
        Self::index(counts.len(), bits.into())
    }

    /// Takes the bits; `None` if they are not those of so many owners and elements.
    pub fn from_bits(owners: usize, elements: usize, bits: Blocks) -> Option<Self> {
        let ones: usize = bits.iter().map(|word| word.count_ones() as usize).sum();
        let last = (0..bits.len()).rfind(|&i| bits.get(i) != 0);
        let end = last.map_or(0, |i| 64 * (i + 1) - bits.get(i).leading_zeros() as usize);
        let has_room = u32::try_from(end).is_ok();
        let complete =
            has_room && ones == owners && (end == owners + elements || owners + elements == 0);
        complete.then(|| Self::index(owners, bits))
    }

    /// The 64-bit words that the bits take.
    pub fn words_for(owners: usize, elements: usize) -> usize {
        (owners + elements).div_ceil(64)
    }

    pub fn bits(&self) -> &Blocks {
        &self.bits
    }

    /// The first of the owner's elements, and the first after them.
    pub fn get(&self, owner: usize) -> (usize, usize) {
        // The ones before the owner's zeros number `owner`, which leaves zeros: elements.
        let (start, from) = match owner.checked_sub(1) {
            None => (0, 0),
            Some(before) => {
                let place = self.one(before);
                (place + 1 - owner, place + 1)
            }
        };
        (start, self.next_one(from) - owner)
    }

    fn index(owners: usize, bits: Blocks) -> Self {
        let mut places = Vec::with_capacity(owners.div_ceil(Self::STEP));
        let mut seen = 0;
        for (index, word) in bits.iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                if seen % Self::STEP == 0 {
                    places.push((64 * index) as u32 + rest.trailing_zeros());
                }
                seen += 1;
                rest &= rest - 1;
            }
        }
        Self { owners, bits, places }
    }

    /// The place of the `nth` one, counted from 0.
    fn one(&self, nth: usize) -> usize {
        let place = self.places[nth / Self::STEP] as usize;
        let mut ahead = nth % Self::STEP;
        let mut index = place / 64;
        let mut word = self.bits.get(index) & (u64::MAX << (place % 64));
        while ahead >= word.count_ones() as usize {
            ahead -= word.count_ones() as usize;
            index += 1;
            word = self.bits.get(index);
        }
        for _ in 0..ahead {
            word &= word - 1;
        }
        64 * index + word.trailing_zeros() as usize
    }

    /// The place of the first one from `place` on.
    fn next_one(&self, place: usize) -> usize {
        let mut index = place / 64;
        let mut word = self.bits.get(index) & (u64::MAX << (place % 64));
        while word == 0 {
            index += 1;
            word = self.bits.get(index);
        }
        64 * index + word.trailing_zeros() as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Miri takes minutes for as many as elsewhere.
    const MOST_VALUES: usize = if cfg!(miri) { 20 } else { 200 };
    const VALUES_END: u32 = if cfg!(miri) { 50 } else { 500 };

    proptest! {
        #[test]
        fn integers_come_back(values in prop::collection::vec(any::<u32>(), 0..MOST_VALUES), shift in 0..32) {
            let values: Vec<u32> = values.iter().map(|value| value >> shift).collect();
            let packed = PackedInts::new(values.iter().copied(), u32::MAX >> shift);
            prop_assert_eq!(packed.bits, 32 - shift as u32);
            let back: Vec<u32> = (0..values.len()).map(|index| packed.get(index)).collect();
            prop_assert_eq!(back, values);
        }

        #[test]
        fn sorted_integers_are_found(values in prop::collection::btree_set(0..VALUES_END, 0..MOST_VALUES)) {
            let packed = PackedInts::new(values.iter().copied().collect::<Vec<_>>().into_iter(), VALUES_END - 1);
            for value in 0..VALUES_END {
                let expected = values.iter().position(|&v| v == value);
                prop_assert_eq!(packed.find(0, values.len(), value), expected);
            }
        }

        #[test]
        fn spans_are_running_sums(counts in prop::collection::vec(0u32..300, 0..MOST_VALUES)) {
            let spans = SelectVector::new(&counts);
            let mut start = 0;
            for (owner, &count) in counts.iter().enumerate() {
                let end = start + count as usize;
                prop_assert_eq!(spans.get(owner), (start, end));
                start = end;
            }
            let bits = spans.bits().clone();
            prop_assert_eq!(SelectVector::from_bits(counts.len(), start, bits.clone()), Some(spans));
            prop_assert_eq!(SelectVector::from_bits(counts.len() + 1, start, bits.clone()), None);
            if !counts.is_empty() {
                prop_assert_eq!(SelectVector::from_bits(counts.len(), start + 1, bits), None);
            }
        }
    }
}
