//! Where fuel goes, in the format of the Firefox Profiler: one process per
//! component, one thread per case. A microsecond on its time line is one unit of
//! fuel.

use std::io;
use std::path::Path;

use fxprof_processed_profile::{
    CategoryHandle, CpuDelta, Frame, FrameFlags, FrameInfo, ProcessHandle, Profile,
    ReferenceTimestamp, SamplingInterval, Timestamp, WeightType,
};

use crate::rules::cases::FuelSample;

const NS_PER_FUEL: u64 = 1_000;

/// A profile that is being collected.
pub(super) struct FuelProfile {
    profile: Profile,
    process: Option<ProcessHandle>,
    n_components: u32,
    n_cases: u32,
    has_names: bool,
}

impl FuelProfile {
    pub(super) fn new() -> Self {
        let beginning = ReferenceTimestamp::from_millis_since_unix_epoch(0.0);
        let interval = SamplingInterval::from_nanos(NS_PER_FUEL);
        Self {
            profile: Profile::new("idr rule bench: fuel", beginning, interval),
            process: None,
            n_components: 0,
            n_cases: 0,
            has_names: false,
        }
    }

    /// Lets the cases that follow be of this component.
    pub(super) fn begin_component(&mut self, name: &str) {
        self.n_components += 1;
        let process = self.profile.add_process(name, self.n_components, at(0));
        self.process = Some(process);
    }

    /// Adds a case. Each sample stands for the fuel since the one before.
    pub(super) fn add(&mut self, case: &str, samples: &[FuelSample]) {
        let Some(process) = self.process else {
            return;
        };
        self.n_cases += 1;
        let profile = &mut self.profile;
        let thread = profile.add_thread(process, self.n_cases, at(0), false);
        profile.set_thread_name(thread, case);
        // The format knows samples, milliseconds and bytes. One sample stands for an
        // interval of the time line, and that is one unit of fuel.
        profile.set_thread_samples_weight_type(thread, WeightType::Samples);
        let mut last = 0;
        for sample in samples {
            let frames: Vec<FrameInfo> = sample
                .functions
                .iter()
                .map(|function| FrameInfo {
                    frame: Frame::Label(profile.intern_string(function)),
                    category_pair: CategoryHandle::OTHER.into(),
                    flags: FrameFlags::empty(),
                })
                .collect();
            let stack = profile.intern_stack_frames(thread, frames.into_iter());
            let weight = i32::try_from(sample.fuel - last).unwrap_or(i32::MAX);
            profile.add_sample(thread, at(sample.fuel), stack, CpuDelta::ZERO, weight);
            last = sample.fuel;
            self.has_names |= sample
                .functions
                .iter()
                .any(|function| !function.starts_with("function "));
        }
    }

    /// Says whether any function was known by its name.
    pub(super) fn has_names(&self) -> bool {
        self.has_names
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let json = serde_json::to_vec(&self.profile)?;
        std::fs::write(path, json)
    }
}

fn at(fuel: u64) -> Timestamp {
    Timestamp::from_nanos_since_reference(fuel.saturating_mul(NS_PER_FUEL))
}
