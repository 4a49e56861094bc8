//! Decides which parameter each attribute fills.

use syn::Ident;

use crate::attributes::{fill_no_parameters, last_name};
use crate::errors::Errors;
use crate::function::Function;
use crate::parameter::Parameter;
use crate::request::DaemonRequest;
use crate::DaemonKind;

/// For each request, the index of the parameter that it fills.
pub(crate) struct Assignment(Vec<Option<usize>>);

impl Assignment {
    /// Reports an error for each request without a parameter.
    pub(crate) fn new(requests: &[DaemonRequest], function: &Function, errors: &mut Errors) -> Self {
        let mut assignment = Self(vec![None; requests.len()]);
        // Parameters chosen by name come first, so that no other request takes them.
        let (named, typed): (Vec<_>, Vec<_>) =
            (requests.iter().enumerate()).partition(|(_, request)| request.arg().is_some());
        for (index, request) in named.into_iter().chain(typed) {
            let found = match (request.arg(), request.handle_name()) {
                (Some(arg), _) => assignment.find_by_name(arg, function),
                (None, Some(handle)) => assignment.find_by_type(request, &handle, function),
                // `with_daemon` without its type has been reported already.
                (None, None) => continue,
            };
            match found {
                Ok(parameter) => assignment.0[index] = Some(parameter),
                Err(error) => errors.push(error),
            }
        }
        assignment
    }

    pub(crate) fn parameter_of(&self, request: usize) -> Option<usize> {
        self.0.get(request).copied().flatten()
    }

    pub(crate) fn request_for(&self, parameter: usize) -> Option<usize> {
        self.0.iter().position(|assigned| *assigned == Some(parameter))
    }

    /// Reports the daemons' parameters that certainly nothing fills. rustc would report them too,
    /// but not name the missing attribute.
    pub(crate) fn report_unfilled(&self, requests: &[DaemonRequest], function: &Function, errors: &mut Errors) {
        if !fill_no_parameters(&function.attributes) {
            return;
        }
        for (_, parameter) in self.free_parameters(function) {
            let same_type = requests.iter().find(|request| request.fits(&parameter.ty));
            let attribute = match (same_type, DaemonKind::of_handle(&parameter.ty)) {
                (Some(request), _) => format!("another `{}`", request.example(None)),
                (None, Some(kind)) => format!("`#[{}]`", kind.attribute),
                (None, None) => continue,
            };
            let message = format!("nothing fills this parameter: add {attribute} to the function");
            errors.push(syn::Error::new_spanned(&parameter.pattern, message));
        }
    }

    fn find_by_name(&self, arg: &Ident, function: &Function) -> syn::Result<usize> {
        let mut parameters = function.parameters.iter().enumerate();
        let found = parameters.find(|(_, parameter)| parameter.name() == Some(arg));
        let Some((index, parameter)) = found else {
            return Err(no_such_parameter(arg, function));
        };
        let message = if self.request_for(index).is_some() {
            format!(
                "another attribute already fills `{arg}`: name a different parameter, \
                 or remove one of the attributes"
            )
        } else if let Some(attribute) = parameter.filling_attribute() {
            let name = last_name(attribute.path()).unwrap_or_default();
            format!(
                "`#[{name}]` already fills `{arg}`: name a different parameter, \
                 or remove `#[{name}]`"
            )
        } else {
            return Ok(index);
        };
        Err(syn::Error::new_spanned(arg, message))
    }

    fn find_by_type(&self, request: &DaemonRequest, handle: &str, function: &Function) -> syn::Result<usize> {
        let fits = |parameter: &Parameter| request.fits(&parameter.ty);
        let mut free = self.free_parameters(function);
        if let Some((index, _)) = free.find(|(_, parameter)| fits(parameter)) {
            return Ok(index);
        }

        let attribute = request.example(None);
        let suggestion = request.example_parameter();
        let mut fillable = (function.parameters.iter()).filter(|parameter| parameter.filling_attribute().is_none());
        if fillable.any(fits) {
            return Err(request.error(format!(
                "other attributes already fill every parameter of type `{handle}`: \
                 add another one, such as `another_{suggestion}`, or remove this `{attribute}`"
            )));
        }
        let first_free = self.free_parameters(function).next();
        let alternative = match first_free.and_then(|(_, parameter)| parameter.name()) {
            Some(name) => {
                let with_arg = request.example(Some(&format!("arg = {name}")));
                format!("; to fill `{name}`, write `{with_arg}`")
            }
            None if function.parameters.is_empty() => format!(
                "; if the function has one, move `{attribute}` above attributes that remove \
                 parameters, such as `#[rstest]`"
            ),
            None => String::new(),
        };
        Err(request.error(format!(
            "no parameter of type `{handle}` for `{attribute}` to fill: \
             add `{suggestion}` (or `&{handle}`, `&mut {handle}`){alternative}"
        )))
    }

    /// The parameters that neither a request nor another attribute fills.
    fn free_parameters<'a>(&'a self, function: &'a Function) -> impl Iterator<Item = (usize, &'a Parameter)> {
        (function.parameters.iter().enumerate())
            .filter(|(index, parameter)| self.request_for(*index).is_none() && parameter.filling_attribute().is_none())
    }
}

fn no_such_parameter(arg: &Ident, function: &Function) -> syn::Error {
    let names: Vec<_> = (function.parameters.iter())
        .filter_map(|parameter| Some(format!("`{}`", parameter.name()?)))
        .collect();
    let message = match names.as_slice() {
        [] => format!("no parameter `{arg}`: the function has no named parameter"),
        names => format!("no parameter `{arg}`: the function has {}", names.join(", ")),
    };
    syn::Error::new_spanned(arg, message)
}
