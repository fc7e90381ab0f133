use proptest::prelude::*;

use super::*;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));

fn row(row: u128) -> Place {
    Place { table: "credentials", tenant: TENANT, row: Uuid::from_u128(row) }
}

fn keyring(ids: &[&str]) -> Keyring {
    let keys = ids.iter().map(|id| MasterKey::new(id).unwrap());
    Keyring(keys.collect())
}

/// The same keys in another order.
fn in_order(keyring: &Keyring, ids: &[&str]) -> Keyring {
    let known = |id: &&str| keyring.0.iter().find(|key| key.id() == *id).unwrap();
    let texts: Vec<_> = ids.iter().map(|id| known(id).reveal().to_string()).collect();
    texts.join(",").parse().unwrap()
}

fn refused(id: &str) -> Unopenable {
    Unopenable::Refused(id.to_owned())
}

#[test]
fn what_is_sealed_is_opened_by_every_key_that_is_there() {
    let both = keyring(&["old", "new"]);
    let sealed = both.seal(row(1), b"hidden").unwrap();
    for order in [&["old", "new"][..], &["new", "old"], &["old"]] {
        assert_eq!(**in_order(&both, order).open(row(1), &sealed).unwrap(), *b"hidden");
    }
    let gone = in_order(&both, &["new"]).open(row(1), &sealed).unwrap_err();
    assert_eq!(gone, Unopenable::UnknownKey("old".into()));
    assert!(gone.to_string().contains("MASTER_KEYS"), "{gone}");
}

#[test]
fn another_key_of_the_same_name_opens_nothing() {
    let sealed = keyring(&["key"]).seal(row(1), b"hidden").unwrap();
    assert_eq!(keyring(&["key"]).open(row(1), &sealed).unwrap_err(), refused("key"));
}

#[test]
fn what_was_sealed_for_another_row_tenant_or_table_does_not_open() {
    let keyring = keyring(&["key"]);
    let sealed = keyring.seal(row(1), b"hidden").unwrap();
    let elsewhere = [
        row(2),
        Place { tenant: TenantId(Uuid::from_u128(2)), ..row(1) },
        Place { table: "credential", ..row(1) },
    ];
    for place in elsewhere {
        assert_eq!(keyring.open(place, &sealed).unwrap_err(), refused("key"), "{place:?}");
    }
}

#[test]
fn the_same_secret_looks_different_each_time() {
    let keyring = keyring(&["key"]);
    let seal = || keyring.seal(row(1), b"hidden").unwrap();
    assert_ne!(seal(), seal());
}

#[test]
fn without_a_key_nothing_is_sealed() {
    let none: Keyring = " \n".parse().unwrap();
    let refused = none.seal(row(1), b"hidden").unwrap_err();
    assert!(refused.to_string().contains("MASTER_KEYS"), "{refused}");
    assert_eq!(none.sealing_key(), None);
    assert_eq!(none.fingerprint(b"hidden"), Err(NoMasterKey));
}

#[test]
fn what_another_version_sealed_is_said_to_be_that() {
    let keyring = keyring(&["key"]);
    let mut sealed = keyring.seal(row(1), b"hidden").unwrap();
    sealed[0] = 2;
    assert_eq!(keyring.open(row(1), &sealed).unwrap_err(), Unopenable::UnknownVersion(2));
    assert_eq!(keyring.open(row(1), &[]).unwrap_err(), Unopenable::Malformed);
}

#[test]
fn a_list_of_keys_is_refused_without_telling_a_key() {
    let good = MasterKey::new("good").unwrap().reveal().to_string();
    let bytes = good.strip_prefix("good:").unwrap();
    let cases = [
        (bytes.to_owned(), InvalidMasterKeys::NoId(1)),
        (format!("{good}, :{bytes}"), InvalidMasterKeys::InvalidId(2)),
        (format!("two words:{bytes}"), InvalidMasterKeys::InvalidId(1)),
        (format!("{}:{bytes}", "x".repeat(33)), InvalidMasterKeys::InvalidId(1)),
        ("k:no+base!64".into(), InvalidMasterKeys::NotBase64("k".into())),
        ("k:c2hvcnQ=".into(), InvalidMasterKeys::WrongLength("k".into(), 5)),
        (format!("{good},{good}"), InvalidMasterKeys::Twice("good".into())),
    ];
    for (text, mistake) in cases {
        let refused = text.parse::<Keyring>().unwrap_err();
        assert_eq!(refused, mistake);
        assert!(!refused.to_string().contains(bytes), "{refused}");
    }
}

#[test]
fn keys_are_read_with_what_files_have_around_them() {
    let (first, second) = (MasterKey::new("first").unwrap(), MasterKey::new("second").unwrap());
    let text = format!("{}\n{} ,\n", *first.reveal(), *second.reveal());
    let keyring: Keyring = text.parse().unwrap();
    assert_eq!(format!("{keyring:?}"), r#"Keyring(["first", "second"])"#);
    assert_eq!(keyring.sealing_key(), Some("first"));
}

#[test]
fn a_fingerprint_is_the_secrets_and_the_keys() {
    let (mine, yours) = (keyring(&["key"]), keyring(&["key"]));
    assert_eq!(mine.fingerprint(b"hidden"), mine.fingerprint(b"hidden"));
    assert_ne!(mine.fingerprint(b"hidden"), mine.fingerprint(b"hiddem"));
    assert_ne!(mine.fingerprint(b"hidden"), yours.fingerprint(b"hidden"));
}

proptest! {
    #[test]
    fn whatever_is_sealed_comes_back(
        open: Vec<u8>, id in "[A-Za-z0-9._-]{1,32}", tenant: u128, at: u128,
    ) {
        let keyring = keyring(&[&id]);
        let place = Place { tenant: TenantId(Uuid::from_u128(tenant)), ..row(at) };
        let sealed = keyring.seal(place, &open).unwrap();
        prop_assert_eq!(&*keyring.open(place, &sealed).unwrap(), &open);
    }

    #[test]
    fn whatever_is_altered_broken_off_or_appended_does_not_open(
        open: Vec<u8>, at: prop::sample::Index, bit in 0..8_u8, more in 1..20_usize,
    ) {
        let keyring = keyring(&["key"]);
        let sealed = keyring.seal(row(1), &open).unwrap();
        let mut altered = sealed.clone();
        altered[at.index(sealed.len())] ^= 1_u8 << bit;
        prop_assert!(keyring.open(row(1), &altered).is_err());
        prop_assert!(keyring.open(row(1), &sealed[..at.index(sealed.len())]).is_err());
        prop_assert!(keyring.open(row(1), &[&sealed[..], &vec![0; more]].concat()).is_err());
    }

    #[test]
    fn whatever_is_no_sealed_secret_is_refused(bytes: Vec<u8>) {
        prop_assert!(keyring(&["key"]).open(row(1), &bytes).is_err());
    }
}
