//! Which daemons need others to be there before they start: their options use the others' parameters.

use std::collections::HashSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::assignment::Assignment;
use crate::errors::Errors;
use crate::function::Function;
use crate::request::DaemonRequest;

/// For each request, those whose daemons its options use.
pub(crate) struct Dependencies(Vec<Vec<usize>>);

impl Dependencies {
    /// Reports a circle.
    pub(crate) fn new(
        requests: &[DaemonRequest],
        function: &Function,
        assignment: &Assignment,
        errors: &mut Errors,
    ) -> Self {
        let name_of = |request: usize| {
            let parameter = function.parameters.get(assignment.parameter_of(request)?)?;
            parameter.name().map(ToString::to_string)
        };
        let names: Vec<Option<String>> = (0..requests.len()).map(name_of).collect();
        let of_request = |(index, request): (usize, &DaemonRequest)| {
            let used = names_in_options([request]);
            let is_used = |other: &usize| {
                let name = names.get(*other).and_then(Option::as_ref);
                *other != index && name.is_some_and(|name| used.contains(name))
            };
            (0..requests.len()).filter(is_used).collect()
        };
        let dependencies = Self(requests.iter().enumerate().map(of_request).collect());
        if let Some(circle) = dependencies.order().err() {
            for index in circle {
                if let Some(request) = requests.get(index) {
                    errors.push(request.error(format!(
                        "`{}` waits for itself: its options use a daemon whose options use this one; give one of \
                         them what it needs in another way, such as a `port` of your choice",
                        request.example(None)
                    )));
                }
            }
        }
        dependencies
    }

    pub(crate) fn of(&self, request: usize) -> &[usize] {
        self.0.get(request).map_or(&[], Vec::as_slice)
    }

    /// The requests in waves: first those that need no other, then those that need only these, and so
    /// on. So none that could start holds up another. The error has the requests that wait for each
    /// other, and those that wait for them.
    pub(crate) fn order(&self) -> Result<Vec<usize>, Vec<usize>> {
        let mut order = Vec::new();
        loop {
            let (wave, rest): (Vec<usize>, Vec<usize>) = (0..self.0.len())
                .filter(|index| !order.contains(index))
                .partition(|index| self.of(*index).iter().all(|one| order.contains(one)));
            match (wave.is_empty(), rest.is_empty()) {
                (true, true) => return Ok(order),
                (true, false) => return Err(rest),
                (false, _) => order.extend(wave),
            }
        }
    }
}

/// The names in the options of these requests that can be those of variables.
pub(crate) fn names_in_options<'a>(requests: impl IntoIterator<Item = &'a DaemonRequest>) -> HashSet<String> {
    let values = requests.into_iter().flat_map(DaemonRequest::option_values);
    values.flat_map(names_used).collect()
}

/// The names in an expression that can be those of variables: not parts of paths, fields, methods, or
/// what a closure calls its parameters.
fn names_used(tokens: TokenStream) -> HashSet<String> {
    let mut used = HashSet::new();
    collect(tokens, &mut used);
    used
}

fn collect(tokens: TokenStream, used: &mut HashSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let bound = closure_parameters(&tokens);
    let is = |index: usize, character: char| tokens.get(index).is_some_and(|token| is_punct(token, character));
    let mut inside = HashSet::new();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) => {
                let before = index.checked_sub(1);
                let is_member = before.is_some_and(|before| is(before, '.') && !is_range(&tokens, before));
                let is_in_path = (is(index + 1, ':') && is(index + 2, ':'))
                    || before.is_some_and(|before| is(before, ':') && before > 0 && is(before - 1, ':'));
                let is_macro = is(index + 1, '!') && matches!(tokens.get(index + 2), Some(TokenTree::Group(_)));
                if !is_member && !is_in_path && !is_macro {
                    inside.insert(ident.to_string());
                }
            }
            TokenTree::Group(group) => collect(group.stream(), &mut inside),
            TokenTree::Literal(literal) => inside.extend(captured(&literal.to_string())),
            TokenTree::Punct(_) => {}
        }
    }
    used.extend(inside.into_iter().filter(|name| !bound.contains(name)));
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// Whether the `.` at this place ends a `..`.
fn is_range(tokens: &[TokenTree], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    before.is_some_and(|before| is_punct(before, '.'))
}

/// The names between the bars of closures.
fn closure_parameters(tokens: &[TokenTree]) -> HashSet<String> {
    let mut names = HashSet::new();
    let mut is_inside = false;
    for (index, token) in tokens.iter().enumerate() {
        if is_punct(token, '|') {
            let begins = match index.checked_sub(1).and_then(|before| tokens.get(before)) {
                None => true,
                Some(TokenTree::Ident(ident)) => ident == "move",
                Some(TokenTree::Punct(punct)) => ",=(".contains(punct.as_char()),
                Some(_) => false,
            };
            is_inside = !is_inside && begins;
        } else if is_inside {
            add_names(token, &mut names);
        }
    }
    names
}

fn add_names(token: &TokenTree, names: &mut HashSet<String>) {
    match token {
        TokenTree::Ident(ident) => _ = names.insert(ident.to_string()),
        TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {
            group.stream().into_iter().for_each(|token| add_names(&token, names));
        }
        _ => {}
    }
}

/// The variables that a format string captures, as in `format!("{url}/x")`. Others that look like it,
/// as the placeholders of a program do, are names of no parameter, or do no harm.
fn captured(literal: &str) -> Vec<String> {
    let parts = literal.split('{').skip(1);
    let names = parts.filter_map(|part| part.split(['}', ':']).next());
    let is_name =
        |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    names.filter(is_name).map(str::to_owned).collect()
}
