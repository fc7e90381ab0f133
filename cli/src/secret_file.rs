//! Secrets from files and stdin.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use shared::config::Mistakes;
use shared::domain::Credential;
use shared::vault::credential_from_json;

/// Where a credential is read from.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SecretArgs {
    /// The credential as JSON, such as `{"type": "oauth2", …}`; `-` is stdin
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
    /// Nothing but one secret, such as a bot's token; `-` is stdin
    #[arg(long, value_name = "FILE")]
    secret_file: Option<String>,
}

impl SecretArgs {
    pub(crate) fn read_or_exit(&self) -> Credential {
        Mistakes::check_or_exit(|mistakes| self.read(mistakes))
    }

    fn read(&self, mistakes: &mut Mistakes) -> Option<Credential> {
        let (argument, read) = match (&self.file, &self.secret_file) {
            (Some(file), _) => ("--file", text(file).map(|text| of_json(&text))),
            (None, Some(file)) => ("--secret-file", text(file).map(|text| of_one_secret(&text))),
            // Clap asks for one of the two.
            (None, None) => return None,
        };
        match read {
            Ok(Ok(credential)) => Some(credential),
            Ok(Err(mistake)) => {
                mistakes.note(argument, mistake);
                None
            }
            Err(error) => {
                mistakes.note(argument, error);
                None
            }
        }
    }
}

/// What is wrong is said without quoting it.
fn of_json(text: &SecretString) -> Result<Credential, String> {
    let json = serde_json::from_str(text.expose_secret());
    let json = json.map_err(|error| {
        format!("is not JSON, at line {} column {}", error.line(), error.column())
    })?;
    credential_from_json(json).map_err(|error| error.to_string())
}

fn of_one_secret(text: &SecretString) -> Result<Credential, String> {
    match text.expose_secret().trim() {
        "" => Err("is empty".to_owned()),
        secret => Ok(Credential::Secret { secret: secret.to_owned().into() }),
    }
}

fn text(name: &str) -> io::Result<SecretString> {
    if name != "-" {
        return std::fs::read_to_string(name).map(SecretString::from);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text.into())
}

/// The secret that is kept in a file: made and written there if there is no such file.
pub(crate) fn kept(path: &Path, make: impl FnOnce() -> SecretString) -> io::Result<SecretString> {
    write_once(path, make)?;
    std::fs::read_to_string(path).map(|secret| secret.trim().to_owned().into())
}

/// Writes a secret that only its owner can read, unless the file is there already.
fn write_once(path: &Path, secret: impl FnOnce() -> SecretString) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            writeln!(file, "{}", secret().expose_secret())?;
            file.sync_all()
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn a_credential_is_read_from_json_or_is_the_whole_file() {
        let place = tempdir().unwrap();
        let read = |text: &str, is_json: bool| {
            let path = place.path().join("credential");
            std::fs::write(&path, text).unwrap();
            let path = Some(path.display().to_string());
            let (file, secret_file) = if is_json { (path, None) } else { (None, path) };
            let mut mistakes = Mistakes::default();
            let credential = SecretArgs { file, secret_file }.read(&mut mistakes);
            let token = credential.and_then(|credential| credential.token().cloned());
            token.map(|token| token.expose_secret().to_owned()).ok_or(mistakes.all().join("; "))
        };
        assert_eq!(read(r#"{"type": "secret", "secret": "s"}"#, true), Ok("s".to_owned()));
        assert_eq!(read("s\n", false), Ok("s".to_owned()));
        assert_eq!(read(" \n", false), Err("--secret-file: is empty".to_owned()));
        for wrong in ["hidden", r#"{"type": "secret", "secret": ["hidden"]}"#] {
            let mistake = read(wrong, true).unwrap_err();
            assert!(mistake.starts_with("--file: ") && !mistake.contains("hidden"), "{mistake}");
        }
    }

    #[test]
    fn what_is_kept_is_its_owners_alone_and_stays() {
        let place = tempdir().unwrap();
        let path = place.path().join("keys");
        for made in ["first", "second"] {
            let kept = kept(&path, || made.to_owned().into()).unwrap();
            assert_eq!(kept.expose_secret(), "first");
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
