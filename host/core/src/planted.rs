//! Bugs planted on purpose, to prove that tests would find them.
//!
//! Only the feature `planted-bugs` makes [`is`] ever answer true.

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Bug {
    /// A time that has not been reached is not noted.
    ForgetWakeUp = 1,
    /// A look-up that found nobody is not noted.
    DropLookupKey,
    /// Readers of what a wave changed are not planned again.
    SkipWave,
    /// An identity's newest version counts as read, although an older one was planned.
    ClearVersionUnseen,
    /// Whoever matched a role's filter before it was edited is not made due.
    ForgetOldFilter,
    /// What rules propose for the next refresh makes nobody due.
    ForgetProposal,
    /// Whoever's events a threshold leaves out counts as settled.
    SettleHeldEvents,
    /// The end of an allowance to violate a policy is not noted.
    ForgetMitigationEnd,
    /// What idr has given isn't handed over with the account.
    ForgetWhatWasGiven,
    /// Changes of idr's own that lead to each other aren't counted.
    CountNoChanges,
    /// When access counts as certified too long ago is not noted.
    ForgetCertification,
    /// When what was sent counts as failed is not noted.
    ForgetExpiry,
    /// Whoever has no image yet gets none when images come to be kept.
    ForgetFirstImage,
    /// What a run has in hand counts as what is stored, whoever has written since.
    TrustWhatIsInHand,
    /// Events are judged with every plan, whoever may be planned again.
    JudgeTooEarly,
}

impl Bug {
    /// Every bug.
    pub const ALL: [Self; 15] = [
        Self::ForgetWakeUp,
        Self::DropLookupKey,
        Self::SkipWave,
        Self::ClearVersionUnseen,
        Self::ForgetOldFilter,
        Self::ForgetProposal,
        Self::SettleHeldEvents,
        Self::ForgetMitigationEnd,
        Self::ForgetWhatWasGiven,
        Self::CountNoChanges,
        Self::ForgetCertification,
        Self::ForgetExpiry,
        Self::ForgetFirstImage,
        Self::TrustWhatIsInHand,
        Self::JudgeTooEarly,
    ];
}

#[cfg(feature = "planted-bugs")]
static PLANTED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// Plants a bug in everything that this process does from now on, or takes it
/// out again.
#[cfg(feature = "planted-bugs")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.store(
        bug.map_or(0, |bug| bug as u8),
        std::sync::atomic::Ordering::SeqCst,
    );
}

/// Says whether a bug is planted.
#[cfg(feature = "planted-bugs")]
pub fn is(bug: Bug) -> bool {
    PLANTED.load(std::sync::atomic::Ordering::Relaxed) == bug as u8
}

/// Says whether a bug is planted: never, without the feature.
#[cfg(not(feature = "planted-bugs"))]
#[inline]
pub fn is(_bug: Bug) -> bool {
    false
}
