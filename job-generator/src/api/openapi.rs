//! What the document says beyond its routes: who may ask, and how refusals look.

use std::fmt::Write;

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::problem::{ProblemBody, Type};

const TOKEN: &str = "token";

pub(super) fn described(mut openapi: OpenApi) -> OpenApi {
    openapi.info = InfoBuilder::new()
        .title("Millrace")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(description()))
        .build();
    openapi.security = Some(vec![SecurityRequirement::new(TOKEN, Vec::<String>::new())]);
    let components = openapi.components.get_or_insert_with(Components::new);
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme(TOKEN, bearer);
    components.schemas.insert(ProblemBody::name().into_owned(), ProblemBody::schema());
    for path in openapi.paths.paths.values_mut() {
        let operations =
            [&mut path.get, &mut path.post, &mut path.patch, &mut path.delete, &mut path.put];
        operations.into_iter().flatten().for_each(add_refusals);
    }
    openapi
}

fn description() -> String {
    let mut text = String::from(
        "Connects integrations, asks for runs, and shows what they do. Ids are UUIDs, times are \
         RFC 3339. A refusal is a problem (RFC 9457); its `type` is one of these:\n\n\
         | type | status | title |\n|---|---|---|\n",
    );
    for kind in Type::ALL {
        let (status, _, title) = kind.as_parts();
        // Writing into a String cannot fail.
        writeln!(text, "| `{}` | {status} | {title} |", kind.uri()).expect("a String takes it");
    }
    text
}

fn add_refusals(operation: &mut Operation) {
    for (status, description) in [("4XX", "Refused"), ("5XX", "Not carried out")] {
        let response = RefOr::T(refusal(description));
        operation.responses.responses.insert(status.to_owned(), response);
    }
}

fn refusal(description: &str) -> Response {
    let problem = Ref::from_schema_name(ProblemBody::name());
    let content = ContentBuilder::new().schema(Some(problem)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}
