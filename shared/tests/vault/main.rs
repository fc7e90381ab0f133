//! Credentials in use: renewed once whoever asks and whatever dies, sealed again while they are used,
//! and told to nobody.

mod bringing;
mod crashing;
mod ground;
mod guild;
mod log;
mod platform;
mod renewing;
mod rotating;
