//! The integrations of this build: a table of contents.

pub mod devto;

use crate::config::PlatformConfig;
use crate::sdk::Registry;
use devto::Devto;

/// Every integration, speaking to the configured platforms.
pub fn registry(platforms: &PlatformConfig) -> anyhow::Result<Registry> {
    Ok(Registry::default().with(Devto::at(platforms.devto_url.as_str())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::CheckSchedule;

    #[test]
    fn every_kind_is_found_with_its_schedule() {
        let platforms = PlatformConfig { devto_url: "https://dev.to".parse().expect("a URL") };
        let registry = registry(&platforms).expect("a registry");
        let schedules: Vec<_> = registry.iter().map(|kind| (kind.kind(), kind.checks())).collect();
        assert_eq!(schedules, [("devto", CheckSchedule::EveryTicks(20))]);
    }
}
