//! What is asked about people afterwards: how many follow them, and what their companies are.

use serde_json::json;

use super::Github;
use super::answers::{Company, FoundOnes, Person, Shown};
use super::graphql::Reply;
use super::queries::{FOLLOWERS, ORGANIZATION_BY_LOGIN, ORGANIZATION_BY_SEARCH};
use super::records::{organization, told_followers};
use super::streams::Stream;
use crate::sdk::{Access, Operation, Result, StreamOutput};

impl Github {
    /// Of those who are still there.
    pub(super) async fn followers(
        &self,
        people: &[String],
        access: &Access,
    ) -> Result<StreamOutput<Stream>> {
        let reply: Reply<Vec<Option<Shown<Person>>>> =
            self.api.query(FOLLOWERS, json!({ "ids": people }), access).await?;
        let people = reply.whole("people")?.into_iter().flatten().filter_map(Shown::into_this);
        let members = people.map(told_followers).collect();
        Ok(StreamOutput {
            operations: vec![Operation::UpsertMembers(members)],
            ..StreamOutput::empty()
        })
    }

    /// Many are not on GitHub.
    pub(super) async fn company(
        &self,
        company: &str,
        access: &Access,
    ) -> Result<StreamOutput<Stream>> {
        let found = match company.strip_prefix('@') {
            Some(login) => self.company_by_login(login, access).await?,
            None => self.company_by_search(company, access).await?,
        };
        let told = found.map(|found| organization(company, found)).into_iter().collect();
        Ok(StreamOutput {
            operations: vec![Operation::UpsertOrganizations(told)],
            ..StreamOutput::empty()
        })
    }

    async fn company_by_login(&self, login: &str, access: &Access) -> Result<Option<Company>> {
        let variables = json!({ "login": login });
        Ok(self.api.query(ORGANIZATION_BY_LOGIN, variables, access).await?.subject)
    }

    /// The first hit, as people who search would take it.
    async fn company_by_search(&self, name: &str, access: &Access) -> Result<Option<Company>> {
        // A quote would end the phrase, and what is behind it could be anything to the search.
        let variables = json!({ "text": format!("type:org \"{}\"", name.replace('"', " ")) });
        let reply: Reply<FoundOnes<Company>> =
            self.api.query(ORGANIZATION_BY_SEARCH, variables, access).await?;
        let nodes = reply.subject.and_then(|found| found.nodes);
        Ok(nodes.into_iter().flatten().flatten().find_map(Shown::into_this))
    }
}
