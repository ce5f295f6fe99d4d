//! One key that varies, and over what: a list of values, or a range.

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

use super::number::{Kind, Number};

/// Most values of one key.
const VALUES_MAX: usize = 1000;

/// A key of a scenario and the values that are tried. Read from `KEY=VALUES`, where VALUES is
///
/// * a list: `3,4,5`, `full,delta`, `{ kind = "constant", value = "5ms" },{ kind = "constant", value = "9ms" }`;
/// * a range `LOW..HIGH` of whole numbers, decimals or durations, with `:step=STEP`, `:points=N`, `:log` (even in the logarithm).
///   Without a step or a number of points, whole numbers step by 1 in a grid, and others can only be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The key, dotted: `cluster.config.suspicion_mult`.
    pub key: String,
    /// What stood behind the equals sign.
    pub given: String,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    /// These, as texts of TOML or bare words.
    List(Vec<String>),
    /// Anything between, both ends included.
    Between { low: Number, high: Number, log: bool },
}

impl Axis {
    /// Reads `KEY=VALUES`.
    ///
    /// # Errors
    /// What is wrong, and how it should be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            format!(
                "--vary {text}: {what}; write KEY=VALUES, such as cluster.config.suspicion_mult=3,4,5 or network.loss=0.0..0.1:step=0.02"
            )
        };
        let (key, given) = text.split_once('=').ok_or_else(|| wrong("there is no \"=\""))?;
        let (key, given) = (key.trim(), given.trim());
        if key.is_empty() || given.is_empty() {
            return Err(wrong("a key and its values are needed"));
        }
        if matches!(key, "seed" | "seeds") {
            return Err(format!(
                "--vary {text}: every point runs with the same seeds; choose them with --seed and --seeds"
            ));
        }
        let items = items(given).map_err(|what| wrong(&what))?;
        let values = match &items[..] {
            [one] if is_range(one) => range(one).map_err(|what| wrong(&what))?,
            _ => list(items).map_err(|what| wrong(&what))?,
        };
        Ok(Self { key: key.to_owned(), given: given.to_owned(), values })
    }

    /// Its values for a grid.
    ///
    /// # Errors
    /// When it is a range without a step.
    pub fn grid(&self) -> Result<Vec<String>, String> {
        match &self.values {
            Values::List(list) => Ok(list.clone()),
            Values::Between { low, high, log: false } if low.kind() == Kind::Whole => {
                steps(low, high, &Number::whole(1))
                    .map_err(|what| format!("--vary {}={}: {what}", self.key, self.given))
            }
            Values::Between { .. } => Err(format!(
                "--vary {}={}: a grid needs a step; add :step=STEP or :points=N, or draw points with --random N",
                self.key, self.given
            )),
        }
    }

    /// One of its values, by chance.
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> String {
        match &self.values {
            Values::List(list) => {
                let drawn = (u128::from(rng.next_u64()) * list.len() as u128) >> 64;
                list.get(drawn as usize).cloned().unwrap_or_default()
            }
            Values::Between { low, high, log } => {
                let even = (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
                Number::between(low, high, *log, even).to_string()
            }
        }
    }
}

/// The items of a list; commas inside of brackets and quotes divide nothing.
fn items(text: &str) -> Result<Vec<String>, String> {
    let (mut items, mut depth, mut quote) = (vec![String::new()], 0i32, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                items.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = items.last_mut() {
            last.push(c);
        }
    }
    if depth != 0 || quote.is_some() {
        return Err("a bracket or a quote is not closed".to_owned());
    }
    let items: Vec<String> = items.into_iter().map(|item| item.trim().to_owned()).collect();
    if items.iter().any(String::is_empty) {
        return Err("a value between two commas is missing".to_owned());
    }
    Ok(items)
}

fn list(items: Vec<String>) -> Result<Values, String> {
    if items.len() > VALUES_MAX {
        return Err(format!("there are {} values, and {VALUES_MAX} are enough", items.len()));
    }
    if let Some((_, twice)) = items.iter().enumerate().find(|(number, item)| items[..*number].contains(*item))
    {
        return Err(format!("{twice} stands there twice"));
    }
    if let Some(inner) = items.iter().find(|item| items.len() > 1 && is_range(item)) {
        return Err(format!("{inner} is a range, which stands alone"));
    }
    Ok(Values::List(items))
}

/// Whether a bare item means a range.
fn is_range(item: &str) -> bool {
    !item.starts_with(['"', '\'', '[', '{']) && item.contains("..")
}

fn range(text: &str) -> Result<Values, String> {
    let mut parts = text.split(':');
    let (low, high) = parts.next().and_then(|ends| ends.split_once("..")).unwrap_or((text, ""));
    let (low, high) = Number::alike(low.trim(), high.trim())?;
    if low.size() >= high.size() {
        return Err(format!("the range goes from small to large, and {low} is not below {high}"));
    }
    let (mut log, mut step, mut points) = (false, None, None);
    for option in parts {
        match option.trim().split_once('=') {
            None if option.trim() == "log" && !log => log = true,
            Some(("step", text)) if step.is_none() => step = Some(low.step(text)?),
            Some(("points", text)) if points.is_none() => points = Some(count(text)?),
            _ => return Err(format!("\"{option}\" is none of log, step=STEP, points=N, each at most once")),
        }
    }
    if log && low.size() <= 0.0 {
        return Err("a logarithmic range begins above 0".to_owned());
    }
    let values = match (step, points) {
        (Some(_), Some(_)) => return Err("a range has either a step or a number of points".to_owned()),
        (Some(_), None) if log => {
            return Err("a logarithmic range has no even step; write points=N".to_owned());
        }
        (Some(step), None) => steps(&low, &high, &step)?,
        (None, Some(points)) => spread(&low, &high, log, points),
        (None, None) => return Ok(Values::Between { low, high, log }),
    };
    list(values)
}

fn count(text: &str) -> Result<usize, String> {
    let points = text.trim().parse().ok().filter(|points| (2..=VALUES_MAX).contains(points));
    points.ok_or_else(|| format!("points={text}: a whole number from 2 to {VALUES_MAX}"))
}

fn steps(low: &Number, high: &Number, step: &Number) -> Result<Vec<String>, String> {
    // A last value that misses the end by rounding alone belongs to the range.
    let count = libm::floor((high.size() - low.size()) / step.size() + 1e-9) + 1.0;
    if count > VALUES_MAX as f64 {
        return Err(format!("there are {count} values, and {VALUES_MAX} are enough"));
    }
    Ok((0..count as u32).map(|k| low.plus(step, k).to_string()).collect())
}

/// So many values from one end to the other; whole numbers that fall together stand once.
fn spread(low: &Number, high: &Number, log: bool, points: usize) -> Vec<String> {
    let mut values: Vec<String> = (0..points)
        .map(|k| Number::along(low, high, log, k as f64 / (points - 1) as f64).to_string())
        .collect();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;

    fn grid(text: &str) -> Vec<String> {
        Axis::parse(text).unwrap().grid().unwrap()
    }

    #[test]
    fn lists_and_ranges_give_the_values_they_name() {
        assert_eq!(grid("k=3,4, 5"), ["3", "4", "5"]);
        assert_eq!(grid("k=full"), ["full"]);
        assert_eq!(grid("k={ a = 1, b = [2, 3] },\"x,y\""), ["{ a = 1, b = [2, 3] }", "\"x,y\""]);
        assert_eq!(grid("k=2..5"), ["2", "3", "4", "5"]);
        assert_eq!(grid("k=2..9:step=3"), ["2", "5", "8"]);
        assert_eq!(grid("k=0..0.3:step=0.1"), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(grid("k=500ms..2s:step=500ms"), ["500ms", "1s", "1s500ms", "2s"]);
        assert_eq!(grid("k=0.001..0.1:log:points=3"), ["0.001", "0.01", "0.1"]);
        assert_eq!(grid("k=100ms..10s:log:points=3"), ["100ms", "1s", "10s"]);
        assert_eq!(grid("k=1..4:log:points=9"), ["1", "2", "3", "4"]);
        assert_eq!(grid("k=1..2:points=3"), ["1", "2"]);
    }

    #[test]
    fn a_bad_range_says_what_would_be_right() {
        for (text, part) in [
            ("k", "there is no \"=\""),
            ("k=", "a key and its values"),
            ("=3", "a key and its values"),
            ("k=3,,4", "between two commas"),
            ("k=3,3", "3 stands there twice"),
            ("k=[1,2", "not closed"),
            ("k=5..2", "from small to large"),
            ("k=1..2s", "both ends"),
            ("k=1..x", "both ends"),
            ("k=0..1:log", "begins above 0"),
            ("k=1..9:step=0", "more than 0"),
            ("k=1..9:step=1s", "step=1s"),
            ("k=1..9:step=2:points=3", "either a step"),
            ("k=1..9:log:step=2", "no even step"),
            ("k=1..9:points=1", "from 2 to 1000"),
            ("k=1..9:even", "none of log"),
            ("k=1..9:log:log", "each at most once"),
            ("k=1..2,5", "which stands alone"),
            ("k=0..10000:step=1", "1000 are enough"),
            ("seed=1,2", "--seeds"),
        ] {
            let said = Axis::parse(text).unwrap_err();
            assert!(said.starts_with("--vary ") && said.contains(part), "{text}: {said}");
        }
        for text in ["k=0.0..0.1", "k=1s..2s", "k=1..9:log", "k=0..5000"] {
            let said = Axis::parse(text).unwrap().grid().unwrap_err();
            assert!(said.contains(":step=STEP") || said.contains("are enough"), "{text}: {said}");
        }
    }

    #[test]
    fn what_is_drawn_lies_in_the_range_and_covers_it() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut drawn = |text: &str| -> Vec<String> {
            let axis = Axis::parse(text).unwrap();
            let mut drawn: Vec<String> = (0..400).map(|_| axis.draw(&mut rng)).collect();
            drawn.sort();
            drawn.dedup();
            drawn
        };
        assert_eq!(drawn("k=2..5"), ["2", "3", "4", "5"]);
        assert_eq!(drawn("k=1..4:log"), ["1", "2", "3", "4"]);
        assert_eq!(drawn("k=a,b"), ["a", "b"]);
        let shares: Vec<f64> = drawn("k=0.01..1:log").iter().map(|text| text.parse().unwrap()).collect();
        assert!(shares.iter().all(|x| (0.01..=1.0).contains(x)));
        let below = shares.iter().filter(|x| **x < 0.1).count();
        assert!(below > shares.len() * 2 / 5, "even in the logarithm: {below} of {}", shares.len());
    }
}
