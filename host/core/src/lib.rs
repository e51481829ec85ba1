//! The pure core of idr.
