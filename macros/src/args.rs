//! What stands in an attribute's parentheses: the builder calls, and the reserved `arg` and `crate`.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned, ToTokens};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Meta, Path, Token, Type};

use crate::signature::last_segment;
use crate::Daemon;

const FORMS: &str = "expected `option`, `option = value` or `option(value, …)`, where the option is a method of the \
                     daemon's builder; or `arg = parameter`, or `crate = path`";

/// The errors found so far, reported together.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            none => *none = Some(error),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The errors as `compile_error!`s, where there are any.
    pub(crate) fn report(self) -> Option<TokenStream> {
        self.0.map(syn::Error::into_compile_error)
    }
}

/// One attribute: a daemon asked for.
pub(crate) struct Request {
    daemon: Daemon,
    /// The tokens that errors about the attribute as a whole point at.
    at: TokenStream,
    /// How the function names it; none for the one that is being expanded.
    name: Option<TokenStream>,
    /// Where a failed start is reported from.
    pub(crate) span: Span,
    /// The type given to `with_daemon`.
    given: Option<Type>,
    /// The parameter to fill, by name.
    pub(crate) arg: Option<Ident>,
    krate: Option<Path>,
    options: Vec<BuilderCall>,
}

/// One call on the builder.
struct BuilderCall {
    method: Ident,
    /// The arguments in parentheses whose span is where rustc complains about their number.
    arguments: Group,
}

impl Request {
    /// The attribute being expanded, which is no longer on the function.
    pub(crate) fn outermost(daemon: Daemon, args: TokenStream, errors: &mut Errors) -> Self {
        let span = Span::call_site();
        let mut request = Self::new(daemon, Ident::new(daemon.attribute, span), span);
        request.read(args, errors);
        request
    }

    /// An attribute found on the function.
    pub(crate) fn found(daemon: Daemon, attribute: &Attribute, errors: &mut Errors) -> Self {
        let mut request = Self::new(daemon, attribute, attribute.path().span());
        request.name = Some(attribute.path().to_token_stream());
        match &attribute.meta {
            Meta::Path(_) => request.read(TokenStream::new(), errors),
            Meta::List(list) => request.read(list.tokens.clone(), errors),
            Meta::NameValue(pair) => errors.push(syn::Error::new_spanned(
                pair,
                format!("write `#[{}(…)]`: {FORMS}", daemon.attribute),
            )),
        }
        request
    }

    fn new(daemon: Daemon, at: impl ToTokens, span: Span) -> Self {
        Self {
            daemon,
            at: at.into_token_stream(),
            name: None,
            span,
            given: None,
            arg: None,
            krate: None,
            options: Vec::new(),
        }
    }

    /// An error about the attribute as a whole.
    pub(crate) fn error(&self, message: impl std::fmt::Display) -> syn::Error {
        syn::Error::new_spanned(&self.at, message)
    }

    /// The attribute as a message shows it, such as `#[with_redis]`.
    pub(crate) fn shown(&self) -> String {
        let name = self.daemon.attribute;
        match self.given_name() {
            Some(given) => format!("#[{name}({given})]"),
            None => format!("#[{name}]"),
        }
    }

    /// The attribute as it would be with this in its parentheses.
    pub(crate) fn shown_with(&self, argument: &str) -> String {
        let name = self.daemon.attribute;
        match self.given_name() {
            Some(given) => format!("#[{name}({given}, {argument})]"),
            None => format!("#[{name}({argument})]"),
        }
    }

    /// A parameter for a message to suggest, such as `redis: RedisDaemon`.
    pub(crate) fn suggested_parameter(&self) -> String {
        let name = self.daemon.attribute.trim_start_matches("with_");
        let handle = self.handle_name().unwrap_or_else(|| String::from("MyDaemon"));
        format!("{name}: {handle}")
    }

    fn given_name(&self) -> Option<String> {
        let given = last_segment(self.given.as_ref()?)?;
        Some(compact(given.to_token_stream()))
    }

    /// The name that a parameter's type must end in; none only where `with_daemon` lacks its type.
    pub(crate) fn handle_name(&self) -> Option<String> {
        match self.daemon.handle {
            Some(handle) => Some(handle.to_owned()),
            None => self.given_name(),
        }
    }

    /// Whether a parameter of this type is one to fill.
    pub(crate) fn fits(&self, ty: &Type) -> bool {
        let Some(found) = last_segment(ty) else {
            return false;
        };
        if let Some(handle) = self.daemon.handle {
            return found.ident == handle;
        }
        let Some(request) = self.given.as_ref().and_then(last_segment) else {
            return false;
        };
        // `Daemon<A>` and `Daemon<B>` are two handles, while `Daemon` may be an alias or have defaults.
        let (wanted_args, found_args) = (&request.arguments, &found.arguments);
        found.ident == request.ident
            && (wanted_args.is_none()
                || found_args.is_none()
                || wanted_args.to_token_stream().to_string() == found_args.to_token_stream().to_string())
    }

    /// A statement that uses the attribute's name, where the attribute itself is never expanded: its import would be
    /// reported as unused, and its lack not at all.
    pub(crate) fn mention(&self) -> Option<TokenStream> {
        let name = self.name.as_ref()?;
        Some(quote_spanned! {self.mixed_site()=>
            #[allow(unused_imports)]
            use #name as _;
        })
    }

    /// The path of the module with the functions that an expansion calls.
    pub(crate) fn support(&self) -> TokenStream {
        let krate = self.krate();
        // Not as if the user had written it, who may have shorter ways to say it.
        quote_spanned!(self.mixed_site()=> #krate::attribute)
    }

    fn krate(&self) -> TokenStream {
        match &self.krate {
            Some(path) => path.to_token_stream(),
            None => quote_spanned!(self.span=> ::managed_daemons),
        }
    }

    /// The expression that makes the builder and sets every option.
    pub(crate) fn builder(&self) -> TokenStream {
        let handle = match (&self.given, self.daemon.handle) {
            (_, Some(handle)) => {
                let (krate, handle) = (self.krate(), Ident::new(handle, self.mixed_site()));
                quote!(#krate::#handle)
            }
            (given, None) => given.to_token_stream(),
        };
        // At the type's own place, where rustc says that it has no `builder`.
        let span = self.given.as_ref().map_or(self.mixed_site(), Spanned::span);
        let mut builder = quote_spanned!(span=> <#handle>::builder());
        for BuilderCall { method, arguments } in &self.options {
            let dot = quote_spanned!(method.span()=> .);
            builder = quote!(#builder #dot #method #arguments);
        }
        builder
    }

    fn mixed_site(&self) -> Span {
        Span::mixed_site().located_at(self.span)
    }

    fn read(&mut self, args: TokenStream, errors: &mut Errors) {
        let parser = |input: ParseStream<'_>| {
            self.read_type(input, errors)?;
            while !input.is_empty() {
                if let Err(error) = self.read_option(input) {
                    errors.push(error);
                    // The rest of the broken option would only give errors that follow from the first.
                    skip_to_comma(input)?;
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(args) {
            errors.push(error);
        }
    }

    /// The type that comes first in `with_daemon`.
    fn read_type(&mut self, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        if self.daemon.handle.is_some() {
            return Ok(());
        }
        let ahead = input.fork();
        let is_type = ahead
            .parse::<Type>()
            .is_ok_and(|ty| matches!(ty, Type::Path(_)) && last_segment(&ty).is_some());
        if !is_type || !(ahead.is_empty() || ahead.peek(Token![,])) {
            let message = "`#[with_daemon]` needs the daemon's type first, such as `#[with_daemon(MyDaemon)]` or \
                           `#[with_daemon(MyDaemon, option = value)]`";
            errors.push(if input.is_empty() {
                self.error(message)
            } else {
                syn::Error::new(input.span(), message)
            });
            // An option that stands where the type should is read as one; anything else has just been reported.
            if !input.peek(syn::Ident) {
                skip_to_comma(input)?;
                input.parse::<Option<Token![,]>>()?;
            }
            return Ok(());
        }
        self.given = Some(input.parse()?);
        input.parse::<Option<Token![,]>>()?;
        Ok(())
    }

    fn read_option(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        if input.peek(Token![crate]) {
            let key: Token![crate] = input.parse()?;
            let message = "write `crate = path`, such as `crate = crate::testing::managed_daemons`";
            let value = reserved(input, key.span(), message, Path::parse_mod_style)?;
            return set(&mut self.krate, value, &key);
        }
        let method: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), FORMS))?;
        if method == "arg" {
            let message = "write `arg = parameter`, with the name of the parameter to fill";
            let value = reserved(input, method.span(), message, Ident::parse)?;
            return set(&mut self.arg, value, &method);
        }
        let arguments = if ended(input).is_ok() {
            parenthesized(TokenStream::new(), method.span())
        } else if input.peek(syn::token::Paren) {
            let group: Group = input.parse()?;
            // For its errors only: what is passed on are the tokens as they stand.
            Punctuated::<Expr, Token![,]>::parse_terminated.parse2(group.stream())?;
            ended(input)?;
            group
        } else if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            if ended(input).is_ok() {
                let message = format!("no value for `{method}`: {FORMS}");
                return Err(syn::Error::new_spanned(&method, message));
            }
            let value: Expr = input.parse()?;
            ended(input)?;
            parenthesized(value.to_token_stream(), value.span())
        } else {
            return Err(syn::Error::new(input.span(), FORMS));
        };
        self.options.push(BuilderCall { method, arguments });
        Ok(())
    }
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// Nothing more of this option.
fn ended(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        Ok(())
    } else {
        Err(syn::Error::new(input.span(), FORMS))
    }
}

/// The value of a key that is not a method of the builder.
fn reserved<T>(
    input: ParseStream<'_>,
    key: Span,
    message: &str,
    value: fn(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let at = if ended(input).is_ok() { key } else { input.span() };
    let error = |at| syn::Error::new(at, message);
    input.parse::<Token![=]>().map_err(|_| error(at))?;
    let at = if ended(input).is_ok() { key } else { input.span() };
    let value = value(input).map_err(|_| error(at))?;
    ended(input).map_err(|rest| error(rest.span()))?;
    Ok(value)
}

fn set<T>(place: &mut Option<T>, value: T, key: &impl ToTokens) -> syn::Result<()> {
    if place.replace(value).is_some() {
        let message = format!("`{}` is given twice: keep one", quote!(#key));
        return Err(syn::Error::new_spanned(key, message));
    }
    Ok(())
}

fn parenthesized(tokens: TokenStream, span: Span) -> Group {
    let mut group = Group::new(Delimiter::Parenthesis, tokens);
    group.set_span(span);
    group
}

/// The tokens as a person would write a type: `Daemon<A>`, where they print as `Daemon < A >`.
fn compact(tokens: TokenStream) -> String {
    tokens
        .to_string()
        .replace(" :: ", "::")
        .replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
}
