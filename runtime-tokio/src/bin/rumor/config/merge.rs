//! Many trees into one: what comes later wins; lists of some keys append, tables merge key by key.

use super::tree::{Item, Value};

/// Keys whose lists append.
const APPENDED: [&str; 3] = ["event_handlers", "start_join", "retry_join"];

/// Lays `over` on `base`.
pub(super) fn lay(base: &mut Item, over: &Item) {
    let Value::Table(over) = &over.value else { return };
    for (key, item) in over.iter().filter(|(_, item)| !item.value.is_unset()) {
        match find(base, key) {
            None => put(base, key, item.clone()),
            Some(old) => match (&mut old.value, &item.value) {
                (Value::Table(_), Value::Table(entries)) => {
                    for (key, item) in entries {
                        put(old, key, item.clone());
                    }
                }
                (Value::List(list), Value::List(more)) if APPENDED.contains(&key.as_str()) => {
                    list.extend(more.iter().cloned());
                }
                _ => *old = item.clone(),
            },
        }
    }
}

/// Sets a key of a table.
pub(super) fn put(table: &mut Item, key: &str, item: Item) {
    if let Some(old) = find(table, key) {
        *old = item;
    } else if let Value::Table(entries) = &mut table.value {
        entries.push((key.into(), item));
    }
}

fn find<'t>(table: &'t mut Item, key: &str) -> Option<&'t mut Item> {
    match &mut table.value {
        Value::Table(entries) => entries.iter_mut().find(|(name, _)| name == key).map(|(_, item)| item),
        _ => None,
    }
}
