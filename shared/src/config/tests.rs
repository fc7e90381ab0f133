//! Whatever is told wrongly is named.

use clap::Parser;

use super::*;

/// All that is told to both services and the CLI.
#[derive(Parser, Debug)]
#[command(args_override_self = true)]
struct Told {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    queue: QueueArgs,
    #[command(flatten)]
    platforms: PlatformArgs,
    #[command(flatten)]
    keyring: KeyringArgs,
}

type Checked = (DatabaseConfig, QueueConfig, PlatformConfig, Keyring);

impl Told {
    /// Besides a database.
    fn with(arguments: &[&str]) -> Self {
        let database = ["told", "--database-url=postgres://localhost/millrace"];
        Self::parse_from(database.iter().chain(arguments))
    }

    /// What it comes to, or every mistake.
    fn check(&self) -> Result<Checked, Vec<String>> {
        let mut mistakes = Mistakes::default();
        let database = self.database.check(&mut mistakes);
        let queue = self.queue.check(&mut mistakes);
        let platforms = self.platforms.check(&mut mistakes);
        let keyring = self.keyring.check(&mut mistakes);
        let checked = (|| Some((database?, queue?, platforms?, keyring?)))();
        checked.filter(|_| mistakes.all().is_empty()).ok_or_else(|| mistakes.all().to_vec())
    }
}

#[test]
fn each_mistake_is_told_in_a_sentence() {
    for (argument, value, sentence) in [
        ("--database-url", "", "is missing; DATABASE_URL says it, too"),
        ("--database-url", "mysql://x", "must begin with postgres://"),
        ("--database-url", "postgres://secret@[", "invalid IPv6 address"),
        ("--database-url", "postgres://x/y?sslmode=nonsense", "unknown value \"nonsense\""),
        ("--database-connections", "many", "`many` is not valid"),
        ("--database-connections", "0", "must be at least 1"),
        ("--database-connections", "4294967295", "must be at most 100000"),
        ("--visibility-seconds", "0", "must be at least one second"),
        ("--visibility-seconds", "43201", "must be at most 43200 seconds"),
        ("--create-queues", "perhaps", "`perhaps` is neither yes nor no"),
        ("--queue-url", "", "names no queue"),
        ("--queue-url", "https://[", "is no URL"),
        ("--queue-url", "amqp://localhost/runs", "must begin with https:// or http://"),
        ("--queue-url", "runs.fifo", "is a FIFO queue"),
        ("--queue-url", "https://sqs.eu-west-1.amazonaws.com/1/runs.fifo", "is a FIFO queue"),
        ("--dead-letter-queue-url", "dead.fifo", "is a FIFO queue"),
        ("--sqs-endpoint-url", "nowhere", "is no URL"),
        ("--devto-url", "dev.to", "is no URL"),
        ("--devto-requests-per-second", "0", "must be at least 1"),
        ("--discord-url", "ftp://discord.com", "must begin with https:// or http://"),
        ("--github-url", "https://ann:secret@api.github.com", "must not carry a user"),
        ("--slack-url", "https://slack.com/api?x", "must not carry a query"),
        ("--twitter-url", "file:///etc/passwd", "must begin with https:// or http://"),
        ("--master-keys", "too:short", ""),
    ] {
        let mistakes = Told::with(&[&*format!("{argument}={value}")]).check().unwrap_err();
        assert_eq!(mistakes.len(), 1, "{argument}={value}: {mistakes:?}");
        let expected = mistakes[0].starts_with(&format!("{argument}: "));
        assert!(expected && mistakes[0].contains(sentence), "{argument}={value}: {mistakes:?}");
        assert!(!mistakes[0].contains("secret"), "{mistakes:?}");
    }
}

#[test]
fn every_mistake_is_named_at_once() {
    let mistaken = [
        "--database-url=mysql://x",
        "--database-connections=many",
        "--queue-url=http://[",
        "--sqs-endpoint-url=nowhere",
        "--visibility-seconds=0",
        "--create-queues=perhaps",
        "--devto-url=dev.to",
        "--slack-url=slack.com",
        "--master-keys=too:short",
    ];
    let mistakes = Told::with(&mistaken).check().unwrap_err();
    let named: Vec<_> = mistakes.iter().map(|mistake| mistake.split(": ").next()).collect();
    let arguments = mistaken.map(|argument| argument.split('=').next());
    for argument in arguments {
        assert!(named.contains(&argument), "{argument:?} is missing in {mistakes:?}");
    }
}

#[test]
fn queues_are_created_if_that_is_wanted_in_any_words() {
    let creates = |arguments: &[&str]| {
        let arguments = ["--queue-url=runs"].iter().chain(arguments).copied();
        let (_, queue, ..) = Told::with(&Vec::from_iter(arguments)).check().unwrap();
        matches!(queue, QueueConfig::Sqs { create: true, .. })
    };
    for wanted in ["--create-queues", "--create-queues=1", "--create-queues=TRUE"] {
        assert!(creates(&[wanted]), "{wanted}");
    }
    for unwanted in ["--create-queues=", "--create-queues=0", "--create-queues=false"] {
        assert!(!creates(&[unwanted]), "{unwanted}");
    }
    assert!(!creates(&[]));
}

/// As `KEY: ${KEY:-}` does in a compose file.
#[test]
fn what_is_set_to_nothing_is_not_set() {
    let empty =
        ["--dead-letter-queue-url=", "--sqs-endpoint-url=", "--aws-region=", "--master-keys-file="];
    let (_, queue, ..) = Told::with(&[&["--queue-url=runs"], &empty[..]].concat()).check().unwrap();
    let QueueConfig::Sqs { sqs, .. } = queue else { panic!("not SQS: {queue:?}") };
    let told = (sqs.dead_letter_queue_url, sqs.endpoint_url, sqs.region);
    assert_eq!(told, (None, None, None));
}

#[test]
fn master_keys_come_from_the_environment_or_from_a_file() {
    let key = crate::keyring::MasterKey::new("k1").unwrap().reveal().to_string();
    let file = std::env::temp_dir().join(format!("master-keys-{}", std::process::id()));
    std::fs::write(&file, format!("{key}\n")).unwrap();
    let missing = file.with_extension("missing");
    let read = |keys: &str, file: Option<&PathBuf>| {
        let mut mistakes = Mistakes::default();
        let master_keys = SecretString::from(keys.to_owned());
        let args = KeyringArgs { master_keys, master_keys_file: file.cloned() };
        let keyring = args.check(&mut mistakes);
        (
            keyring.and_then(|keyring| keyring.sealing_key().map(str::to_owned)),
            mistakes.all().join("; "),
        )
    };
    let good = (Some("k1".to_owned()), String::new());
    assert_eq!(read(&key, None), good);
    assert_eq!(read("", Some(&file)), good);
    assert_eq!(read("", None), (None, String::new()));
    for (keys, file, argument) in [
        ("k1:short", None, "--master-keys: "),
        (&*key, Some(&file), "--master-keys-file: stands beside"),
        ("", Some(&missing), "--master-keys-file: "),
    ] {
        let (keyring, mistakes) = read(keys, file);
        assert!(keyring.is_none() && mistakes.starts_with(argument), "{mistakes}");
    }
    std::fs::remove_file(&file).unwrap();
}
