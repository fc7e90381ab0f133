//! What we send is what GitHub describes.

use graphql_tools::parser::query::parse_query;
use graphql_tools::parser::schema::parse_schema;
use graphql_tools::validation::rules::default_rules_validation_plan;
use graphql_tools::validation::validate::validate;
use serde_json::json;

use crate::integrations::github::queries::{self, Query};
use crate::integrations::github::streams::List;

const SCHEMA: &str = include_str!("schema.graphql");

const WHAT_EVERY_SCHEMA_HAS: &str = "
scalar Boolean
scalar ID
scalar Int
scalar String
directive @include(if: Boolean!) on FIELD
";

const ALL: [Query; 19] = [
    queries::PEEK,
    queries::REPOSITORY,
    queries::STARGAZERS,
    queries::FORKS,
    queries::PULLS,
    queries::ISSUES,
    queries::DISCUSSIONS,
    queries::PULL_COMMENTS,
    queries::PULL_TIMELINE,
    queries::PULL_REVIEW_THREADS,
    queries::PULL_REVIEW_THREAD_COMMENTS,
    queries::PULL_COMMITS,
    queries::ISSUE_COMMENTS,
    queries::ISSUE_TIMELINE,
    queries::DISCUSSION_COMMENTS,
    queries::DISCUSSION_REPLIES,
    queries::FOLLOWERS,
    queries::ORGANIZATION_BY_LOGIN,
    queries::ORGANIZATION_BY_SEARCH,
];

fn problems(query: &str) -> Vec<String> {
    let schema = [SCHEMA, WHAT_EVERY_SCHEMA_HAS].concat();
    let schema = parse_schema::<String>(&schema).expect("a schema").into_static();
    let document = parse_query::<String>(query).expect("a query").into_static();
    let plan = default_rules_validation_plan();
    validate(&schema, &document, &plan).into_iter().map(|problem| problem.message).collect()
}

#[test]
fn every_query_is_valid_by_githubs_schema() {
    for query in ALL {
        assert_eq!(problems(query.text), Vec::<String>::new(), "{}", query.text);
    }
}

#[test]
fn a_query_that_does_not_fit_the_schema_would_be_noticed() {
    let misspelt = queries::PULLS.text.replace("bodyText", "bodytext");
    assert!(!problems(&misspelt).is_empty());
}

/// Whatever their size, and without commits too: what is expected too much is never used.
#[test]
fn what_queries_are_expected_to_cost_they_do() {
    for size in [1, 3, 6, 12, 25, 50, 100] {
        for commits in [true, false] {
            let ids: Vec<_> = (0..size).collect();
            let mut variables = json!({ "commits": commits, "ids": ids, "size": size });
            for list in List::ALL {
                variables[list.field()] = json!(true);
            }
            for query in ALL {
                let cost = sandbox::github::cost(query.text, variables.as_object().expect("one"));
                assert_eq!(query.cost(&variables), cost, "{size}, {commits}: {}", query.text);
            }
        }
    }
}
