//! Election timeouts from a seed.
//!
//! raft draws the timeout from the thread's generator, in calls that do not use the value yet. Setting ours after every
//! call therefore takes the only random draw out of the library. The counter makes draws differ within a term (a
//! pre-candidate keeps its term); the id makes nodes with one seed differ.

pub struct Timeouts {
    state: u64,
    min: u64,
    span: u64,
    calls: u64,
}

impl Timeouts {
    /// Timeouts in `[min, max)`.
    pub fn new(seed: u64, id: u64, min: usize, max: usize) -> Timeouts {
        assert!(min < max);
        let state = mix(seed ^ mix(id));
        Timeouts { state, min: min as u64, span: (max - min) as u64, calls: 0 }
    }

    pub fn next(&mut self) -> usize {
        self.calls += 1;
        let drawn = mix(self.state.wrapping_add(self.calls.wrapping_mul(GOLDEN)));
        let below_span = ((u128::from(drawn) * u128::from(self.span)) >> 64) as u64;
        (self.min + below_span) as usize
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of SplitMix64.
fn mix(value: u64) -> u64 {
    let z = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
