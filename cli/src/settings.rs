//! Settings as somebody types them, and the integration that they must fit.

use std::io::{self, Read};
use std::sync::Arc;

use serde_json::Value;
use shared::config::Mistakes;
use shared::sdk::{DynIntegration, Registry};

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SettingsArgs {
    /// What the platform needs to know, as a JSON object
    #[arg(long = "settings", value_name = "JSON")]
    inline: Option<String>,
    /// The same from a file; `-` is stdin
    #[arg(long = "settings-file", value_name = "FILE")]
    file: Option<String>,
}

impl SettingsArgs {
    pub(crate) fn read(&self, mistakes: &mut Mistakes) -> Option<Value> {
        let (argument, text) = match (&self.inline, &self.file) {
            (Some(json), _) => ("--settings", Ok(json.clone())),
            (None, Some(file)) => ("--settings-file", read_file(file)),
            // Clap asks for one of the two.
            (None, None) => return None,
        };
        let text = text.map_err(|error| mistakes.note(argument, error)).ok()?;
        let json = serde_json::from_str(&text);
        json.map_err(|error| mistakes.note(argument, format!("is not JSON: {error}"))).ok()
    }
}

fn read_file(name: &str) -> io::Result<String> {
    if name != "-" {
        return std::fs::read_to_string(name);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map(|_| text)
}

/// The integration of this kind; the settings must be its settings.
pub(crate) fn find(
    registry: &Registry,
    kind: &str,
    settings: Option<&Value>,
    mistakes: &mut Mistakes,
) -> Option<Arc<dyn DynIntegration>> {
    let integration = registry.find(kind).map_err(|unknown| mistakes.note("<KIND>", unknown));
    let integration = integration.ok()?;
    if let Some(Err(invalid)) = settings.map(|settings| integration.check_settings(settings)) {
        mistakes.note("--settings", invalid);
    }
    Some(Arc::clone(integration))
}
