//! The command line.

/// What to measure, and how often.
#[derive(Debug)]
pub(crate) struct Options {
    parts: Vec<String>,
    /// How many of Redis, PostgreSQL and MySQL are alive at once.
    pub(crate) alive: [usize; 3],
    /// Starts per worker and round.
    pub(crate) starts: usize,
    /// How many times Redis starts, one after another.
    pub(crate) cycles: usize,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            parts: Vec::new(),
            alive: [100, 50, 20],
            starts: 20,
            cycles: 10_000,
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                // Cargo itself passes this one.
                "--bench" => {}
                "alive" | "throughput" | "cycles" => options.parts.push(argument),
                "--alive" => options.alive = numbers(&argument, arguments.next())?,
                "--starts" => [options.starts] = numbers(&argument, arguments.next())?,
                "--cycles" => [options.cycles] = numbers(&argument, arguments.next())?,
                other => {
                    return Err(format!(
                        "unknown argument {other:?}: expected `alive`, `throughput`, `cycles`, `--alive`, `--starts`, `--cycles`"
                    ))
                }
            }
        }
        Ok(options)
    }

    pub(crate) fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|request| request == part)
    }
}

fn numbers<const N: usize>(option: &str, value: Option<String>) -> Result<[usize; N], String> {
    let value = value.unwrap_or_default();
    let problem = || format!("`{option}` takes {N} numbers above 0, separated by commas, not {value:?}");
    let parsed: Result<Vec<usize>, _> = value.split(',').map(str::parse).collect();
    let numbers: [usize; N] = parsed.ok().and_then(|all| all.try_into().ok()).ok_or_else(problem)?;
    match numbers.contains(&0) {
        true => Err(problem()),
        false => Ok(numbers),
    }
}
