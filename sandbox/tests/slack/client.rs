use sandbox::slack::{Slack, TOKEN, Workspace};
use serde_json::Value;

pub(crate) async fn serve(workspace: Workspace) -> Slack {
    Slack::serve(workspace).await.expect("a Slack")
}

/// The answer's status and body, whatever it says.
pub(crate) async fn ask_with(
    slack: &Slack,
    token: Option<&str>,
    method: &str,
    parameters: &[(&str, &str)],
) -> (u16, Value) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut url: reqwest::Url = format!("{}/{method}", slack.url()).parse().expect("a URL");
    url.query_pairs_mut().extend_pairs(parameters);
    let mut request = client.get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("JSON"))
}

pub(crate) async fn ask(slack: &Slack, method: &str, parameters: &[(&str, &str)]) -> Value {
    ask_with(slack, Some(TOKEN), method, parameters).await.1
}

/// All pages of a list, and how many there were.
pub(crate) async fn all(
    slack: &Slack,
    method: &str,
    list: &str,
    parameters: &[(&str, &str)],
) -> (Vec<Value>, usize) {
    let (mut items, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let mut asked = parameters.to_vec();
        if !cursor.is_empty() {
            asked.push(("cursor", &cursor));
        }
        let answer = ask(slack, method, &asked).await;
        assert_eq!(answer["ok"], true, "{answer}");
        items.extend(answer[list].as_array().expect("a list").clone());
        pages += 1;
        match answer["response_metadata"]["next_cursor"].as_str() {
            Some(next) if !next.is_empty() => cursor = next.to_owned(),
            _ => return (items, pages),
        }
    }
}
