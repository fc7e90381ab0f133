//! Arguments and directives, with variables put in.

use graphql_tools::parser::query::{Directive, Field, Value as Written};
use serde_json::{Map, Value, json};

pub(super) type Variables = Map<String, Value>;

pub(super) fn argument(
    field: &Field<'static, String>,
    name: &str,
    variables: &Variables,
) -> Option<Value> {
    let (_, written) = field.arguments.iter().find(|(argument, _)| argument == name)?;
    Some(value(written, variables)).filter(|value| !value.is_null())
}

fn value(written: &Written<'static, String>, variables: &Variables) -> Value {
    match written {
        Written::Variable(name) => variables.get(name).cloned().unwrap_or(Value::Null),
        Written::Int(number) => json!(number.as_i64()),
        Written::Float(number) => json!(number),
        Written::String(text) | Written::Enum(text) => json!(text),
        Written::Boolean(yes) => json!(yes),
        Written::Null => Value::Null,
        Written::List(values) => values.iter().map(|it| value(it, variables)).collect(),
        Written::Object(fields) => {
            Value::Object(fields.iter().map(|(k, v)| (k.clone(), value(v, variables))).collect())
        }
    }
}

/// Whether a selection is to be left out.
pub(super) fn is_left_out(
    directives: &[Directive<'static, String>],
    variables: &Variables,
) -> bool {
    directives.iter().any(|directive| {
        let condition = directive.arguments.iter().find(|(name, _)| name == "if");
        let holds = condition.map(|(_, it)| value(it, variables)) == Some(json!(true));
        match directive.name.as_str() {
            "include" => !holds,
            "skip" => holds,
            _ => false,
        }
    })
}
