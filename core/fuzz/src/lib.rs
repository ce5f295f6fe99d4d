//! What must hold whatever bytes come. The fuzz targets look for bytes that break it; the tests of the crate ask it of every file of the
//! corpora.

mod cluster;
mod input;
mod messages;
pub mod packet;
pub mod step;
pub mod stream;
