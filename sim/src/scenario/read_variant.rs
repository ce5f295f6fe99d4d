//! `[[variant]]`: the settings that are compared; each seed runs all of them.

use rumormill_core::Config;

use super::model::Variant;
use super::path::Path;
use super::problem::Problem;
use super::read_config;
use super::read_travel;
use super::section::Section;
use super::tree::Item;

const KEYS: [&str; 3] = ["name", "config", "network"];

/// Reads the variants of a file; one that names none has one called `default` with the cluster's settings.
pub(super) fn variants(
    items: &[(Path, &Item)],
    cluster: &Config,
    problems: &mut Vec<Problem>,
) -> Vec<Variant> {
    if items.is_empty() {
        return vec![Variant::new("default", cluster.clone())];
    }
    items.iter().map(|(path, item)| variant(item, path, cluster, problems)).collect()
}

/// Reads one variant; what is wrong is on the list and stands as something harmless.
fn variant(item: &Item, path: &Path, cluster: &Config, problems: &mut Vec<Problem>) -> Variant {
    let mut section = Section::open(Some(item), path, &KEYS, problems);
    let name = section.need("name", "\"lifeguard\"").and_then(|_| section.text("name")).unwrap_or_default();
    let (settings, network) = (section.get("config"), section.get("network"));
    let config = read_config::config(settings, &path.key("config"), cluster, problems);
    let travel = network.map(|item| read_travel::of_variant(item, &path.key("network"), problems));
    Variant { name: name.into(), config, travel: travel.unwrap_or_default() }
}
