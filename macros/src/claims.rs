//! Which parameter each attribute fills.

use crate::args::{Errors, Request};
use crate::attributes::{fill_nothing, name_of};
use crate::signature::{Function, Parameter};
use crate::Daemon;

/// The index of the parameter that each request fills; where there is none, an error is reported.
pub(crate) fn claim(requests: &[Request], function: &Function, errors: &mut Errors) -> Vec<Option<usize>> {
    let mut claims = vec![None; requests.len()];
    let (named, typed): (Vec<_>, Vec<_>) =
        (requests.iter().enumerate()).partition(|(_, request)| request.arg.is_some());
    // Those asked for by name come first, so that the others leave them alone.
    for (index, request) in named.into_iter().chain(typed) {
        let claimed = match &request.arg {
            Some(arg) => by_name(arg, function, &claims),
            None => by_type(request, function, &claims),
        };
        match claimed {
            Ok(at) => claims[index] = at,
            Err(error) => errors.push(error),
        }
    }
    claims
}

/// Reports the parameters for daemons that nobody fills, where it is certain that nobody does.
///
/// rustc would report them too, but could not say what to write.
pub(crate) fn report_left_over(requests: &[Request], function: &Function, claims: &Claims, errors: &mut Errors) {
    if !fill_nothing(&function.attributes) {
        return;
    }
    for (at, parameter) in function.parameters.iter().enumerate() {
        if claims.contains(&Some(at)) || parameter.taken_by().is_some() {
            continue;
        }
        let same = requests.iter().find(|request| request.fits(&parameter.ty));
        let attribute = match (same, Daemon::of_handle(&parameter.ty)) {
            (Some(request), _) => format!("another `{}`", request.shown()),
            (None, Some(daemon)) => format!("`#[{}]`", daemon.attribute),
            (None, None) => continue,
        };
        let message = format!("nothing fills this parameter: add {attribute} to the function");
        errors.push(syn::Error::new_spanned(&parameter.pattern, message));
    }
}

type Claims = [Option<usize>];

fn by_name(arg: &syn::Ident, function: &Function, claims: &Claims) -> syn::Result<Option<usize>> {
    let mut parameters = function.parameters.iter().enumerate();
    let found = parameters.find(|(_, parameter)| parameter.name() == Some(arg));
    let problem = match found {
        None => {
            let names: Vec<_> = (function.parameters.iter())
                .filter_map(|parameter| Some(format!("`{}`", parameter.name()?)))
                .collect();
            match names.as_slice() {
                [] => format!("no parameter `{arg}`, nor any other with a name"),
                names => format!("no parameter `{arg}`: the function has {}", names.join(", ")),
            }
        }
        Some((at, _)) if claims.contains(&Some(at)) => format!(
            "`{arg}` is filled by another attribute already: name another parameter, or remove one of the attributes"
        ),
        Some((at, parameter)) => match parameter.taken_by() {
            None => return Ok(Some(at)),
            Some(attribute) => format!(
                "`{arg}` gets its value from `#[{}]` already: name another parameter, or remove that attribute",
                name_of(attribute.path()).unwrap_or_default()
            ),
        },
    };
    Err(syn::Error::new_spanned(arg, problem))
}

fn by_type(request: &Request, function: &Function, claims: &Claims) -> syn::Result<Option<usize>> {
    let Some(handle) = request.handle_name() else {
        // `with_daemon` without a type, which has been reported.
        return Ok(None);
    };
    let parameters =
        || (function.parameters.iter().enumerate()).filter(|(_, parameter)| parameter.taken_by().is_none());
    let is_free = |at: usize| !claims.contains(&Some(at));
    let fits = |parameter: &Parameter| request.fits(&parameter.ty);
    if let Some((at, _)) = parameters().find(|(at, parameter)| is_free(*at) && fits(parameter)) {
        return Ok(Some(at));
    }

    let shown = request.shown();
    let suggested = request.suggested_parameter();
    if parameters().any(|(_, parameter)| fits(parameter)) {
        return Err(request.error(format!(
            "each parameter of type `{handle}` is filled by another attribute, and none is left for this `{shown}`: \
             add one, such as `another_{suggested}`, or remove the attribute"
        )));
    }
    let free = parameters().find(|(at, _)| is_free(*at));
    let more = match free.and_then(|(_, parameter)| parameter.name()) {
        Some(name) => format!(
            "; or, where `{name}` is meant, write `{}`",
            request.shown_with(&format!("arg = {name}"))
        ),
        None if function.parameters.is_empty() => String::from(
            "; if there is one, move the attribute above those that take parameters away, such as `#[rstest]`",
        ),
        None => String::new(),
    };
    Err(request.error(format!(
        "no parameter of type `{handle}` for `{shown}` to fill: \
         add one, such as `{suggested}`, `&{handle}` or `&mut {handle}`{more}"
    )))
}
