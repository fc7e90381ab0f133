//! Installations of a GitHub App.

use sandbox::github::{APP_ID, INSTALLATION_ID, PRIVATE_KEY, StatusCode};
use secrecy::ExposeSecret;

use super::*;
use crate::sdk::GithubApp;

fn installation() -> Credential {
    Credential::GithubApp(GithubApp {
        app_id: APP_ID,
        installation_id: INSTALLATION_ID,
        private_key: PRIVATE_KEY.into(),
        access_token: None,
        expires_at: None,
    })
}

fn with(change: impl FnOnce(&mut GithubApp)) -> Credential {
    let Credential::GithubApp(mut app) = installation() else { unreachable!("it is an app's") };
    change(&mut app);
    Credential::GithubApp(app)
}

async fn github() -> SimulatedGithub {
    serve(World::realistic(7)).await
}

fn integration(github: &SimulatedGithub) -> Github {
    Github::at(&github.url()).expect("an integration")
}

#[tokio::test]
async fn an_installation_gets_a_token_and_reads_what_it_is_installed_on() {
    let github = github().await;
    let run = rehearsal(&github).credential(installation()).run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");
    assert_eq!(truth::found(&[&run]), github.look(truth::of));
    assert_eq!(github.tokens_issued(), 1);
    assert_eq!(asked(&github, "/installation/repositories"), 1);
}

#[tokio::test]
async fn a_check_of_an_installation_with_nothing_new_is_two_requests() {
    let github = github().await;
    let onboarding = rehearsal(&github).credential(installation()).run().await;
    let token = integration(&github).renew(&installation()).await.expect("a token");
    github.clear_requests();
    let nothing = check(&github, &onboarding).credential(token).run().await;
    assert_eq!((&nothing.ending, nothing.operations.len()), (&Ending::Processed, 0), "{nothing}");
    assert_eq!(all_asked(&github), ["/installation/repositories", "Peek"]);
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_renewed_once_and_nothing_is_lost() {
    let github = github().await;
    let token = integration(&github).renew(&installation()).await.expect("a token");
    github.end_tokens();
    let run = rehearsal(&github).credential(token).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
    assert_eq!(truth::found(&[&run]), github.look(truth::of));
    assert_eq!(github.tokens_issued(), 2);
}

#[tokio::test]
async fn a_renewed_credential_has_a_token_that_ends_in_an_hour() {
    let github = github().await;
    let renewed = integration(&github).renew(&installation()).await.expect("a token");
    let token = renewed.token().expect("a token").expose_secret();
    assert!(token.starts_with("ghs_"));
    let ends = renewed.expires_at().expect("an end") - chrono::Utc::now();
    assert!((58..=60).contains(&ends.num_minutes()), "{ends}");
    let Credential::GithubApp(app) = renewed else { panic!("an app's") };
    assert_eq!((app.app_id, app.installation_id), (APP_ID, INSTALLATION_ID));
}

/// Backdated by a minute, since GitHub's clock may be behind; within its ten minutes, too.
#[test]
fn a_claim_says_who_and_for_how_long() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let Credential::GithubApp(app) = installation() else { unreachable!("it is an app's") };
    let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).expect("an instant");
    let claim = super::super::app::claim(&app, now).expect("a claim");
    let parts: Vec<_> = claim
        .expose_secret()
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64"))
        .collect();
    let text = |part: &[u8]| String::from_utf8(part.to_vec()).expect("text");
    assert_snapshot!(text(&parts[0]), @r#"{"alg":"RS256","typ":"JWT"}"#);
    assert_snapshot!(text(&parts[1]), @r#"{"exp":1800000540,"iat":1799999940,"iss":"4711"}"#);
    assert_eq!(parts[2].len(), 256);
}

#[tokio::test]
async fn whatever_is_wrong_with_an_installation_asks_to_reconnect() {
    let github = github().await;
    let other_key =
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
    for (what, credential) in [
        ("no installation 816", with(|app| app.installation_id = 816)),
        ("no key in PEM", with(|app| app.private_key = "secret".into())),
        ("no RSA key", with(|app| app.private_key = other_key.into())),
        ("another application", with(|app| app.app_id = 1)),
    ] {
        let refused = integration(&github).renew(&credential).await.expect_err(what);
        assert!(matches!(refused, SyncError::Unauthorized(_)), "{what}: {refused:?}");
        let said = format!("{refused:?}");
        assert!(!said.contains("PRIVATE KEY") && !said.contains("secret"), "{said}");
        let run = rehearsal(&github).credential(credential).run().await;
        assert_eq!(run.ending, Ending::NeedsReconnect, "{what}: {run}");
    }
}

#[tokio::test]
async fn an_installation_that_was_suspended_asks_to_reconnect() {
    let github = github().await;
    let path = format!("/app/installations/{INSTALLATION_ID}/access_tokens");
    github.misbehave(&path, 1, Fault::Status(StatusCode::FORBIDDEN));
    let run = rehearsal(&github).credential(installation()).run().await;
    assert_eq!(run.ending, Ending::NeedsReconnect, "{run}");
    assert!(run.to_string().contains("GitHub gives this installation no token"), "{run}");
}

#[tokio::test]
async fn each_credential_says_whose_it_is_in_one_request() {
    let github = github().await;
    for (credential, owner) in [(installation(), ("77", "acme")), (personal_token(), ("42", "ada"))]
    {
        github.clear_requests();
        let identified = integration(&github).identify(&Access::with(credential)).await;
        let identified = identified.expect("an owner");
        assert_eq!((identified.id.as_str(), identified.name.as_str()), owner);
        assert_eq!(github.request_count(), 1);
    }
}

#[tokio::test]
async fn a_personal_token_cannot_be_renewed() {
    let github = github().await;
    let refused = integration(&github).renew(&personal_token()).await;
    assert!(matches!(refused, Err(SyncError::Unauthorized(_))));
}

/// An enterprise has no login.
#[test]
fn an_installation_on_an_enterprise_is_named_by_its_slug() {
    let enterprise = json!({ "account": { "id": 7, "slug": "acme-corp", "name": "Acme Corp" } });
    let installation = serde_json::from_value::<super::super::app::Installation>(enterprise);
    assert_eq!(installation.expect("an installation").account.login, "acme-corp");
}
